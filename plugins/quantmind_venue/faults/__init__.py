"""Faults: what can be let go wrong, and when it does."""
