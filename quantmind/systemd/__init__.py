"""Units: a recipe as services of systemd."""
