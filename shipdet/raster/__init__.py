"""Scenes, tiles and the pixels in them."""
