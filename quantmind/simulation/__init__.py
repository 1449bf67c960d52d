"""The one matching engine, for whoever has no venue."""
