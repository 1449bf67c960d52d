import asyncio
import os
import subprocess
import sys
import textwrap

import pytest
import yaml

from quantmind.cli import main
from quantmind.pipeline import build
from quantmind.pipeline.bus import Bus
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load

SINK = """
from quantmind.hookspecs import hookimpl
from quantmind.kinds import NoOptions, Sink

class Stranger(Sink[NoOptions]):
    '''Comes from elsewhere.'''

    name = "stranger"

@hookimpl
def register_components():
    return [Stranger]
"""


@pytest.fixture
def quantmind(capfd):
    """Call the command in this process: exit code, output, errors."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def process():
    """Run Python code in a process of its own."""

    def run(code, *arguments, **more):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **more},
        )

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stranger(tmp_path_factory, monkeypatch):
    """A third-party distribution on sys.path."""
    site = tmp_path_factory.mktemp("site")
    info = site / "stranger-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[quantmind]\nstranger = stranger_sink\n")
    (site / "stranger_sink.py").write_text(SINK)
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("stranger_sink", None)


@pytest.fixture
def live_recipe(program, free_ports):
    """A recipe of live stages over ZeroMQ, with an address of its own."""
    plain = {
        "name": "watched",
        "instruments": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
        "feeds": [{"synthetic": {"live": True, "seed": 3, "quote_interval": "10ms"}}],
        "transport": {"zeromq": {"endpoint": f"tcp://127.0.0.1:{free_ports}"}},
        "strategies": [{"momentum": {"interval": "1s", "fast": 3, "slow": 8, "rsi": 5}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
        "executor": {"paper": {"account": "watched", "balance": 10000}},
        "sinks": ["console"],
    }
    path = program.folder / "watched.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


class Publishers:
    """Stages that say what a test wants, over the transport of a recipe."""

    def __init__(self, path):
        project = Project.find(path.parent, {})
        self._recipe = load(path, Plugins(), project, {}, stage="observer")
        self.buses = {}

    async def open(self, stage):
        transport = build.transport(self._recipe, stage)
        transport.lossless = False
        self.buses[stage] = Bus(transport, build.identity(self._recipe), (), lambda *_: None, lambda _: None)
        await transport.open()
        return self.buses[stage]

    async def close(self, stage):
        await self.buses.pop(stage).transport.close()

    async def until(self, process, say, patience=30):
        """Say it again and again until a process has ended; returns its output and errors."""
        ended = asyncio.ensure_future(asyncio.to_thread(process.communicate, timeout=patience))
        try:
            while not ended.done():
                say()
                await asyncio.sleep(0.05)
            return await ended
        finally:
            process.kill()
            await asyncio.gather(ended, return_exceptions=True)


@pytest.fixture
async def publishers(live_recipe):
    made = Publishers(live_recipe)
    yield made
    for stage in list(made.buses):
        await made.close(stage)
