"""A plugin package of one's own: written from templates, and looked at for what it lacks."""
