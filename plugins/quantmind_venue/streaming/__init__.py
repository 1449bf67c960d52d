"""Streams: who listens to what over which connection, and what is sent."""
