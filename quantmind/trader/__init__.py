"""From Targets to vetted orders, and the record of what became of them."""
