"""Servers of recipes: what components say of themselves is told, and none of their secrets."""

import asyncio
import socket
import threading

import pytest
from pydantic import Field, SecretStr

from quantmind.doctor import recipes as module
from quantmind.doctor.recipes import recipes
from quantmind.errors import QuantMindError
from quantmind.kinds import Greeting, Options, Server, Sink
from quantmind.plugins import Plugins
from tests.doctor.served import RECIPE


class HostOptions(Options):
    """Where it is."""

    answer: str = Field(description="What it does.")
    password: SecretStr = Field(default=SecretStr("hidden-word"), description="Its password.")


class Host(Sink[HostOptions]):
    """Talks to a server."""

    name = "host"

    @classmethod
    def servers(cls, options):
        answer, secret = options.answer, options.password.get_secret_value()

        async def greet():
            if answer == "hangs":
                await asyncio.sleep(1_000)
            if answer == "blocks":
                released.wait(60)
            if answer == "refuses":
                raise QuantMindError(f"redis://user:{secret}@there lets nobody in: see to it")
            if answer == "elsewhere":
                raise QuantMindError(f"nobody is at {secret} for {'hidden-word' if '%2D' in secret else '***'}")
            if answer == "raises":
                raise KeyError(f"{secret}\nat http://me:pass-1@there/x")
            figures = {"slow": {"took": 2_000_000_000}, "late": {"took": 1, "clock": 5_000_000_000}}
            return Greeting(f"version 1 with {secret}", **figures.get(answer, {"took": 1_500_000}))

        if answer == "torn":
            raise ValueError("no place")
        if answer == "elsewhere":
            return (Server(secret, greet),)
        return (Server(f"there/{answer}", greet), Server(f"there/{answer}", greet))


released = threading.Event()
PLUGINS = Plugins(extra=[Host], environ={})


@pytest.fixture(autouse=True)
def _released():
    released.clear()
    yield
    released.set()


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 60.0)

    def look(*answers, recipe=RECIPE, patience=60.0):
        monkeypatch.setattr(module, "PATIENCE", patience)
        sinks = [f"{{host: {{answer: {answer}}}, id: s{n}}}" for n, answer in enumerate(answers)]
        file = tmp_path / "r.yaml"
        file.write_text(recipe + f"sinks: [{', '.join(sinks)}]\n")
        return [(each.state, each.told) for each in recipes([file], PLUGINS) if each.subject == "server"]

    return look


def test_a_server_says_what_it_is_and_how_far_away(found):
    assert found("well") == [("ok", "host there/well: version 1 with ***, round trip 1.5 ms")]


def test_what_a_server_says_is_judged(found):
    slow, late = found("slow", "late")
    assert (slow[0], slow[1].endswith("that is slow: see to the network")) == ("warning", True)
    assert (late[0], "this machine's clock is 5.000 s behind it: venues refuse orders" in late[1]) == ("failed", True)


def test_no_secret_is_told_whoever_wrote_it(found):
    assert found("refuses", "raises") == [
        ("failed", "host there/refuses: redis://***@there lets nobody in: see to it"),
        ("failed", r"host there/raises: KeyError: '***\nat http://***@there/x'"),
    ]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        # Where a server is that a secret option names must be told: who is to start it has to know.
        ("redis://there:6379/0", "redis://there:6379/0"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("redis://me:hidden%2Dword@there/0", "redis://***@there/0"),
        ("https://there/hidden/word?key=hidden-key#hidden-end", "https://there***?***#***"),
    ],
)
def test_of_a_secret_address_what_is_secret_is_taken_out(found, monkeypatch, url, told):
    monkeypatch.setenv("THERE", url)
    ((state, line),) = found("elsewhere, password: '${THERE}'")
    assert (state, line) == ("failed", f"host {told}: nobody is at {told} for ***")


def test_none_is_waited_for_without_end(found):
    later = [
        ("failed", f"host there/{what}: no answer in 0.5 s: see to the network, a firewall or the address")
        for what in ("hangs", "blocks")
    ]
    assert found("hangs", "blocks", patience=0.5) == later


def test_a_component_that_cannot_say_where_they_are_is_told(found):
    assert found("torn", "well")[0] == ("failed", "sinks[0].host does not say where it is: ValueError: no place")


def test_a_recipe_that_cannot_be_run_is_told_line_by_line(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_text(RECIPE.replace("quantity: 10", "quantity: '${UNSET_THING}'").replace("name: served\n", ""))
    told = [(each.state, each.told) for each in recipes([file, tmp_path / "no.yaml"], PLUGINS)]
    assert {state for state, _ in told} == {"failed"}
    assert any("UNSET_THING is not set" in text for _, text in told)
    assert any("no.yaml" in text for _, text in told)


async def test_a_server_of_which_nothing_is_known_takes_connections():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        server = Server.listening("127.0.0.1", port)
        assert server.address == f"127.0.0.1:{port}"
        greeting = await server.greet()
        assert (greeting.words, greeting.took > 0) == ("takes connections", True)
    with pytest.raises(QuantMindError, match="nobody listens there"):
        await server.greet()
    with pytest.raises(QuantMindError, match="name is not known"):
        await Server.listening("no-such-host.invalid", 1).greet()
