"""Requests: what the REST and the WebSocket API are asked, and what they answer."""
