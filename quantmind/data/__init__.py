"""Recorded data sets: reading, merging and checking them."""
