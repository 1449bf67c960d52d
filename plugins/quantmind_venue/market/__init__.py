"""The market of the venue: each contract as it stands, and how it comes about in time."""
