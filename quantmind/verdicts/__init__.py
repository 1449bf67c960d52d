"""What comes of the tests of recipes: collected, told, and written for others to read."""
