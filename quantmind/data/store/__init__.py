"""The local store: recorded market events in Parquet files, by venue, channel, symbol and day."""

from quantmind.data.store.layout import Stream
from quantmind.data.store.manifest import Manifest
from quantmind.data.store.store import Store
from quantmind.data.store.writer import Writer

__all__ = ["Manifest", "Store", "Stream", "Writer"]
