"""Names: what a pipeline's subjects, streams, buckets and inboxes are called on the server."""

from __future__ import annotations

import base64
import re

from quantmind.errors import QuantMindError

_TOKEN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class Names:
    """The names of one pipeline, as its stage uses them."""

    def __init__(self, pipeline: str, stage: str) -> None:
        for what, name in (("pipeline", pipeline), ("stage", stage)):
            if not _TOKEN.fullmatch(name):
                raise QuantMindError(
                    f"nats: the {what} {name!r} cannot be part of a subject: use letters, digits, - and _ only"
                )
        self.pipeline = pipeline
        self.inbox = f"_INBOX.{pipeline}.{stage}"
        """What the subjects of answers to this stage begin with: of its own, so that no other stage may read them."""
        self.facts_stream = f"quantmind_{pipeline}_facts"
        self.facts = self.subject("execution", "facts")
        self.bucket = f"quantmind_{pipeline}"
        self.bucket_stream = f"KV_{self.bucket}"

    def subject(self, stage: str, topic: str) -> str:
        """Return the subject of a stage's topic."""
        return f"quantmind.{self.pipeline}.{stage}.{topic}"

    def kept(self, stage: str, key: str) -> str:
        """Return the subject of a key's last word; any text is a key."""
        safe = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
        return f"$KV.{self.bucket}.{stage}.{safe or '='}"
