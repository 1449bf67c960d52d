"""A venue in the foreground: from its first line to the signal that ends it."""

from __future__ import annotations

import asyncio
import errno
import json
import signal

import click

from quantmind.errors import QuantMindError, UsageError
from quantmind_venue.connecting import described, printed
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue


async def run(options: VenueOptions, *, as_json: bool) -> None:
    """Run a venue until SIGINT or SIGTERM.

    Raises:
        QuantMindError: the market ended by a fault of its data.
        UsageError: it cannot listen there.
    """
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, over.set)
    try:
        venue = Venue(options)
    except UsageError:
        raise
    except (QuantMindError, ValueError) as error:
        raise UsageError(str(error)) from error
    try:
        await venue.start()
    except (OSError, UnicodeError) as error:
        # A name of a host that is none is no text that can be looked up.
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = "something else listens there: name another --port"
        raise UsageError(f"--host {options.host} --port {options.port}: cannot listen: {reason}") from error
    try:
        said = venue.url, options.key, options.secret
        click.echo(json.dumps(described(*said)) if as_json else printed(*said))
        ended, told = asyncio.create_task(venue.broken()), asyncio.create_task(over.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and not over.is_set():
            fault = ended.exception()
            if isinstance(fault, QuantMindError):
                raise fault
            if fault is not None:
                raise QuantMindError(f"the market stopped: {type(fault).__name__}: {fault}") from fault
        await told
        ended.cancel()
    finally:
        await venue.stop()
