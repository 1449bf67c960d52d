"""Reference: everything that describes components, commands and hooks, made from what they say of themselves."""
