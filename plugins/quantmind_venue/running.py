"""A venue in the foreground: from its first line to the signal that ends it."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import socket

import click

from quantmind.errors import QuantMindError, UsageError
from quantmind_venue.connecting import described, printed
from quantmind_venue.faults.reading import FaultError, Script
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue


async def run(options: VenueOptions, script: Script | None = None, *, as_json: bool) -> None:
    """Run a venue until SIGINT or SIGTERM; its faults are those of the script.

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
    except FaultError as error:
        raise (script.refused(error) if script is not None else UsageError(str(error))) from error
    except (QuantMindError, ValueError) as error:
        raise UsageError(str(error)) from error
    try:
        await venue.start()
    except (OSError, UnicodeError) as error:
        where = f"--host {options.host} --port {options.port}"
        raise UsageError(f"{where}: cannot listen: {_reason(error)}") from error
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


def _reason(error: OSError | UnicodeError) -> str:
    """Say why it cannot listen, and what to do."""
    if isinstance(error, UnicodeError | socket.gaierror):
        # What is no name of a host is no text that can be looked up.
        return "there is no such host: name an address of this machine such as 127.0.0.1"
    if error.errno == errno.EADDRNOTAVAIL:
        return "no address of this machine: name one such as 127.0.0.1"
    if error.errno == errno.EADDRINUSE:
        return "something else listens there: name another --port"
    if error.errno == errno.EACCES:
        return "this port is not for everybody: name a --port from 1024 on"
    return error.strerror or type(error).__name__
