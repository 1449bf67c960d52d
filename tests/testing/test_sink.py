"""The check of sinks finds each broken promise."""

from __future__ import annotations

import asyncio
import socket

import pytest
from pydantic import Field

from quantmind.events import Fill, Mark, Signal, Upto
from quantmind.kinds import NoOptions, Options, Sink
from quantmind.testing import MemorySink, check_sink
from quantmind.testing.proving.opening import Terms
from quantmind.testing.proving.promise import report
from quantmind.testing.sink import PROMISES, SinkSubject


class Sound(Sink[NoOptions]):
    """Counts events in a file of the run's folder."""

    name = "sound"

    async def open(self):
        self.file = (self.run.folder / "counts").open("a")

    async def close(self):
        if hasattr(self, "file"):
            self.file.close()

    async def write(self, batch):
        self.file.write(f"{len(batch)}\n")
        print(len(batch), file=self.run.output)


class PathOptions(Options):
    path: str = Field(description="The file.")


class Elsewhere(Sink[PathOptions]):
    """Writes to the file that its options name."""

    name = "elsewhere"

    async def write(self, batch):
        with open(self.options.path, "a") as file:  # noqa: ASYNC230, PTH123 - as short as it gets
            file.write(f"{len(batch)}\n")


def test_sound_sinks_pass(tmp_path):
    check_sink(lambda run: Sound(NoOptions(), run))
    check_sink(lambda run: MemorySink(NoOptions(), run))
    check_sink(lambda run: Elsewhere(PathOptions(path=str(tmp_path / "counts")), run))


class Listing(Sound):
    @property
    def events(self):
        return [Signal]


class Strange(Sound):
    @property
    def events(self):
        return frozenset({Signal, Upto})


class Idle(Sound):
    @property
    def events(self):
        return frozenset()


class Choosy(Sound):
    async def write(self, batch):
        for event in batch:
            self.file.write(event.symbol)


class Hungry(Sound):
    async def write(self, batch):
        self.file.write(str(batch[0]))


class Small(Sound):
    async def write(self, batch):
        if len(batch) > 1_000:
            raise ValueError("too many")


class Taking(Sound):
    async def write(self, batch):
        if isinstance(batch, list):
            batch.clear()


class Exclusive(Sound):
    async def open(self):
        self.file = (self.run.folder / "counts").open("x")


class Printing(Sound):
    async def write(self, batch):
        print("wrote", len(batch))


class Straying(Sound):
    async def write(self, batch):
        (self.run.folder.parent / "quantmind-strays").write_text("here")


class Clinging(Sound):
    async def close(self):
        self.file.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Listing, ["events is a frozenset of types, was [<class"]),
        (Strange, ["it wants Upto, which no sink is given"]),
        (Idle, ["it wants no event: it would never be called"]),
        (Choosy, ["takes every event that it wants", "raised AttributeError: 'Latch' object", "(test_sink.py:"]),
        (Hungry, ["takes empty batches", "raised IndexError", "(test_sink.py:"]),
        (Small, ["takes a batch of 5,000 events", "raised ValueError: too many (test_sink.py:"]),
        (Taking, ["it changed the batch that it was given"]),
        (Exclusive, ["goes on in the folder of a run that is continued", "raised FileExistsError"]),
        (Printing, ["it prints 'wrote", "lines for the user go to run.output"]),
        (Straying, ["it writes", "quantmind-strays: neither in the run's folder nor named by its options"]),
        (Clinging, ["closes after an open that failed", "raised AttributeError", "(test_sink.py:"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_broken_promise_is_found(kind, words, broken):
    broken(lambda: check_sink(lambda run: kind(NoOptions(), run)), "sound", *words)


def test_a_slow_sink_is_found(monkeypatch, broken):
    class Slow(Sound):
        async def write(self, batch):
            await asyncio.sleep(3600)

    monkeypatch.setattr("quantmind.testing.proving.opening.PATIENCE", 0.1)
    broken(lambda: check_sink(lambda run: Slow(NoOptions(), run)), "write took more than 0.1 s")


class Sending(Sound):
    """Sends to a server."""

    port = 0

    @property
    def events(self):
        return frozenset({Fill, Mark})

    async def write(self, batch):
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()


def test_one_that_connects_is_left_out_until_it_may(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(Sending, "port", server.getsockname()[1])
        make = lambda run: Sending(NoOptions(), run)  # noqa: E731 - as an author writes it
        told = list(report(PROMISES, SinkSubject(make, NoOptions(), Terms(live=False, strict=False))))
        assert not any(promise.fault for promise in told)
        assert f"it connects to 127.0.0.1:{Sending.port}: live lets it" in {promise.left_out for promise in told}
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
        check_sink(make, live=True)
        server.accept()[0].close()
