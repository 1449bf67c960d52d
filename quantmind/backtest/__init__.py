"""A recipe on recorded data: what it would have done, and what it would have come to."""
