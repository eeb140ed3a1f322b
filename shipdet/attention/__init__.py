"""Attention mechanisms, one paper a file."""
