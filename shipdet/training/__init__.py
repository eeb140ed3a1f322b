"""Datasets, augmentation and the training loop."""
