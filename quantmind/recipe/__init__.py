"""Recipes: YAML in, checked components and their wiring out."""
