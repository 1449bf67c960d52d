"""What a run was, written out: JSON lines to compare, tables to recompute everything from."""
