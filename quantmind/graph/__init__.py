"""The graph of a recipe: its stages and components, and what flows between them, in words and in two languages."""
