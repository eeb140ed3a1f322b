"""Detections as files and pictures."""
