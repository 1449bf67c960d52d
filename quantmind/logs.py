"""Logs: JSON lines on stderr, or plain ones where a person reads them."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLine(logging.Formatter):
    """Writes a record as one JSON object: time (UTC), level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(level: str) -> None:
    """Send what is at least as severe as `level` to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s") if sys.stderr.isatty() else JsonLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
