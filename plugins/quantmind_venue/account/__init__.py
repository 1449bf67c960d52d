"""The account: orders, positions and margins, and what its owner is told of them."""
