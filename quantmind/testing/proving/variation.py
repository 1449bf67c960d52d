"""Variations: options that differ in one field, for what depends on how a component is set."""

from __future__ import annotations

from collections.abc import Iterator

from quantmind.kinds import Options
from quantmind.reference.example import values


def variations(options: Options) -> Iterator[Options]:
    """Yield the same options with other values of one field at a time, each of them valid by itself."""
    for name, field in type(options).model_fields.items():
        for value in values(field):
            yield options.model_copy(update={name: value})
