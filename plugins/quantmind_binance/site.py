"""The public data site: files fetched whole and proven by their checksum, resumed where they broke off."""

from __future__ import annotations

import asyncio
import email.utils
import hashlib
import logging
import time
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.errors import QuantMindError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    _Take = Callable[[httpx.Response], Awaitable[None]]
    _There = Callable[[], int]

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
_PATIENCE = 30.0
"""Seconds in which something must come."""

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class NoSuchFileError(QuantMindError):
    """The site has no such file."""


class Site:
    """Fetches files of the site into a folder; several at a time, each of them once."""

    def __init__(self, base: str, folder: Path, parallel: int, retries: int, *, wait: float = _FIRST_WAIT) -> None:
        self._base = base.rstrip("/")
        self._folder = folder
        self._retries = retries
        self._wait = wait
        self._slots = asyncio.Semaphore(parallel)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._pause = 0.0
        self._lost = ""
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Make ready to connect."""
        import httpx

        # It tells every request, of which there may be thousands.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=True)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def held(self, path: str) -> AbstractAsyncContextManager[None]:
        """Keep others from a file while it is fetched and read."""
        return self._locks[path]

    async def fetch(self, path: str) -> Path:
        """Return the file, proven by its checksum; what is there of it already is not fetched again.

        Raises:
            NoSuchFileError: the site has no such file.
            QuantMindError: it cannot be had, or differs from its checksum.
        """
        async with self._slots:
            expected = await self._checksum(path)
            place = self._folder / path.rpartition("/")[2]
            for last in (False, True):
                if not (place.is_file() and await asyncio.to_thread(_digest, place) == expected):
                    await self._download(path, place)
                found = await asyncio.to_thread(_digest, place)
                if found == expected:
                    return place
                # What was resumed may have been another one: once more, from the beginning.
                place.unlink(missing_ok=True)
                if last:
                    raise QuantMindError(f"{self._url(path)}: its sha256 is {found}, its checksum says {expected}")
        raise AssertionError

    def _url(self, path: str) -> str:
        return f"{self._base}/{path}"

    async def _checksum(self, path: str) -> str:
        """Return the sha256 that the site gives for a file."""
        try:
            answer = await self._ask(f"{path}.CHECKSUM")
        except NoSuchFileError:
            raise NoSuchFileError(f"{self._url(path)}: is not there, or has no .CHECKSUM beside it") from None
        text = answer.decode(errors="replace").split()
        if not text or len(text[0]) != 64 or set(text[0].lower()) - set("0123456789abcdef"):
            raise QuantMindError(f"{self._url(path)}.CHECKSUM: is no sha256, but {' '.join(text)[:80]!r}")
        return text[0].lower()

    async def _ask(self, path: str) -> bytes:
        whole = bytearray()

        async def take(answer: httpx.Response) -> None:
            whole.clear()
            async for block in answer.aiter_bytes():
                whole.extend(block)

        await self._try(path, take, lambda: 0)
        return bytes(whole)

    async def _download(self, path: str, place: Path) -> None:
        """Add to what is there of a file until the site says that it is whole."""
        partial = place.with_name(f"{place.name}.partial")

        async def take(answer: httpx.Response) -> None:
            # An answer that is not of the rest is the whole file again.
            with partial.open("ab" if answer.status_code == 206 else "wb") as file:
                async for block in answer.aiter_raw():
                    file.write(block)

        place.unlink(missing_ok=True)  # noqa: ASYNC240 - local, and quick
        await self._try(path, take, lambda: partial.stat().st_size if partial.is_file() else 0)
        partial.replace(place)

    async def _try(self, path: str, take: _Take, there: _There) -> None:
        """Ask until an answer was taken whole: again after faults that pass, not before the site allows it."""
        import httpx

        url = self._url(path)
        if self._lost:
            raise QuantMindError(self._lost)
        reason = ""
        reached = False
        attempt = 0
        while attempt <= self._retries:
            await asyncio.sleep(max(self._pause - time.monotonic(), 0))
            begun = there()
            wait = min(self._wait * 2**attempt, _LONGEST_WAIT)
            try:
                busy = await self._once(url, begun, take, wait)
            except httpx.HTTPError as error:
                reason = f"{type(error).__name__}: {error}".rstrip(": ")
                if there() > begun:
                    # As long as something comes, it goes on.
                    attempt = 0
                    continue
                await asyncio.sleep(wait)
            else:
                if not busy:
                    return
                reason, reached = busy, True
            attempt += 1
        message = f"{url}: cannot be fetched, after {self._retries + 1} tries: {reason}"
        if not reached:
            # What cannot be reached is not tried again for each of a thousand files.
            self._lost = message
        raise QuantMindError(message)

    async def _once(self, url: str, begun: int, take: _Take, wait: float) -> str:
        """Ask once, for what lacks from a byte on; return why to ask again later, nothing when it is done.

        Raises:
            NoSuchFileError: the site has no such file.
            QuantMindError: it does not give it.
        """
        if self._client is None:
            raise QuantMindError("the site was asked before it was opened")
        headers = {"Range": f"bytes={begun}-"} if begun else {}
        async with self._client.stream("GET", url, headers={**headers, "Accept-Encoding": "identity"}) as answer:
            if answer.status_code in {200, 206}:
                await take(answer)
                return ""
            if answer.status_code == 416:
                return ""
            told = f"the site answers {answer.status_code} {answer.reason_phrase}"
            if answer.status_code == 404:
                raise NoSuchFileError(f"{url}: is not there")
            if answer.status_code not in _BUSY:
                raise QuantMindError(f"{url}: {told}")
            self._pause = time.monotonic() + _retry_after(answer, wait)
            return told


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    """Return how many seconds the site wants to be left alone."""
    text = answer.headers.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0)
    except (ValueError, TypeError):
        return otherwise


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
