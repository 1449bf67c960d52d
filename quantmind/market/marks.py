"""Mark prices: for how long one of them is better than what has been traded since."""

from __future__ import annotations

FRESH = 60_000_000_000
"""For how long (ns) a mark price values a position: live ones come every second, recorded ones may be hours apart."""
