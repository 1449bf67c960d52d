"""The author of a new plugin, as pyproject.toml names one."""

from __future__ import annotations

import json
import re

import msgspec

from quantmind.errors import UsageError

_AUTHOR = re.compile(r"(?P<name>[^<>]*?)\s*(<(?P<email>[^<>\s@]+@[^<>\s@]+)>)?")


class Author(msgspec.Struct, frozen=True):
    """A name, an address, or both."""

    name: str = ""
    email: str = ""

    @classmethod
    def read(cls, written: str) -> Author:
        """Read `Ada Lovelace`, `Ada Lovelace <ada@example.org>` or `<ada@example.org>`.

        Raises:
            UsageError: it is none of them.
        """
        found = _AUTHOR.fullmatch(written.strip())
        if not written.strip() or not written.isprintable() or found is None:
            raise UsageError(f"--author {written!r}: write it as 'Ada Lovelace <ada@example.org>', or the name alone")
        return cls(found["name"], found["email"] or "")

    def toml(self) -> str:
        """Return the line of pyproject.toml."""
        parts = {"name": self.name, "email": self.email}
        # What JSON puts in quotes TOML reads alike, as it is printable.
        told = ", ".join(f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in parts.items() if text)
        return f"authors = [{{ {told} }}]\n"
