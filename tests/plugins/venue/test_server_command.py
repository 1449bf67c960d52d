"""`quantmind venue` as its user starts it."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantmind.testing import run_command
from quantmind_venue.faults.kinds import KINDS
from quantmind_venue.faults.reading import FaultError, read
from quantmind_venue.server import Venue

NAMES = st.sampled_from(sorted({field for kind in KINDS.values() for field in kind.model_fields} | {"for", "x"}))
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
)


@pytest.fixture
def started(program):
    """Start the command, and wait for the line that says where it is."""
    processes = []

    def start(*arguments):
        process = program.start("venue", "--port", "0", "--json", *map(str, arguments))
        processes.append(process)
        return process, json.loads(process.stdout.readline())

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def ends(process, number):
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    return process.returncode, output, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_prints_answers_and_ends(started, number):
    process, said = started("--symbols", "btcusdt,SOLUSDT", "--seed", "7", "--balance", "50000")
    assert set(said) == {"url", "key", "secret", "ccxt"}
    assert said["ccxt"]["urls"]["api"]["fapiPublic"] == said["url"] + "/fapi/v1"
    names = [each["symbol"] for each in get(said["url"] + "/fapi/v1/exchangeInfo")["symbols"]]
    assert names == ["BTCUSDT", "SOLUSDT"]
    assert ends(process, number) == (0, "", "")


def test_what_a_person_reads_can_be_pasted(program):
    process = program.start("venue", "--port", "0")
    lines = []
    while not lines or "exchange.exceptions['exact']" not in lines[-1]:
        lines.append(process.stdout.readline())
    assert ends(process, signal.SIGTERM)[0] == 0
    text = "".join(lines)
    code = text[text.index("  exchange = ") :]
    assert "Simulated Binance USD-M at http://127.0.0.1:" in text

    class Exchange:
        exceptions = {"exact": {}, "linear": {"exact": {"-2019": "margin"}}}  # noqa: RUF012

        def __init__(self, settings):
            Exchange.settings = settings

    from types import SimpleNamespace

    exec(
        "\n".join(line.removeprefix("  ") for line in code.splitlines()),
        {"ccxt": SimpleNamespace(pro=SimpleNamespace(binanceusdm=Exchange))},
    )
    assert Exchange.settings["urls"]["api"]["ws"]["linear"].startswith("ws://127.0.0.1:")


def test_a_recording_faults_and_a_log(started, recording, tmp_path):
    faults, log = tmp_path / "faults.yaml", tmp_path / "sent.jsonl"
    faults.write_text("- answer: {on: GET /fapi/v1/ping, status: 503, code: -1008}\n- close: {at: 5s}\n")
    process, said = started("--data", recording, "--faults", faults, "--log", log, "--speed", "20")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        get(said["url"] + "/fapi/v1/ping")
    book = get(said["url"] + "/fapi/v1/depth?symbol=BTCUSDT&limit=5")
    assert book["lastUpdateId"] > 5_123_107_852_947
    end = time.monotonic() + 10
    while get(said["url"] + "/venue/state")["faults"][1]["hits"] == 0:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert ends(process, signal.SIGTERM)[0] == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["request"], each["status"]) for each in lines if "request" in each][:2] == [
        ("GET /fapi/v1/ping", 503),
        ("GET /fapi/v1/depth", 200),
    ]


@pytest.fixture
def refused(monkeypatch, tmp_path):
    """Call the command in this process; returns its exit code and the lines of its errors. It must not start."""

    async def start(_):
        raise AssertionError("it started")

    monkeypatch.setattr(Venue, "start", start)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        ended = run_command("venue", "--port", 0, *arguments)
        assert not ended.output
        return ended.code, ended.errors.splitlines()

    return call


DURATION = "must be a duration such as 250ms, 5s, 1m or 4h, was"
PAIR = "must be SYMBOL=FILE such as BTCUSDT=btc-1m.feather, was"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--host", ""], '--host: must have at least 1 character, was ""'),
        (["--symbols", ""], "--symbols: must be contracts such as BTCUSDT,SOLUSDT, was empty"),
        (["--symbols", "BTCUSDT,BTC"], "--symbols: 'BTC' is no symbol of a linear perpetual such as BTCUSDT"),
        (
            ["--symbols", "BTCUSDT", "--data", "a.gz"],
            "--symbols is for a made-up market: the data say which contracts there are",
        ),
        (["--synthetic", "--data", "a.gz"], "--synthetic and --data exclude each other"),
        (["--data", ""], "--data: must name a raw recording, or a file of bars as SYMBOL=FILE, was empty"),
        (["--data", "BTCUSDT="], f"--data: {PAIR} BTCUSDT="),
        (["--data", "BTC=a.csv"], "--data: 'BTC' is no symbol of a linear perpetual such as BTCUSDT"),
        (
            ["--data", "BTCUSDT=a.csv", "--data", "btcusdt=b.csv"],
            "--data: BTCUSDT has two files, a.csv and b.csv: give one",
        ),
        (
            ["--data", "a.gz", "--data", "b.gz"],
            "--data: give one raw recording, or a file of bars for each contract as SYMBOL=FILE",
        ),
        (["--funding", "x.feather"], f"--funding: {PAIR} x.feather"),
        (["--funding", "BTCUSDT=x"], "funding of BTCUSDT need bars of the same contract: give these too"),
        (["--marks", ""], f"--marks: {PAIR} empty"),
        (["--interval", "7"], f"--interval: {DURATION} 7"),
        (["--quote-interval", "0s"], "--quote-interval: must be longer than nothing, was 0s"),
        (["--trade-interval", "often"], f"--trade-interval: {DURATION} often"),
        (["--bad-day", "yes"], f"--bad-day: {DURATION} yes"),
        (["--seed", "9" * 30], f"--seed: must be a whole number that is not so large, was {'9' * 30}"),
        (["--speed", "fast"], "--speed: must be one of 'max' or 'virtual' or a number, was fast"),
        (["--speed", "0"], "--speed: must be one of 'max' or 'virtual' or above 0, was 0"),
        (["--speed", "nan"], "--speed: must be one of 'max' or 'virtual' or a finite number, was nan"),
        (["--speed", "1e308"], "--speed: must be one of 'max' or 'virtual' or at most 1000000, was 1e308"),
        (["--speed", "max"], "speed max is for data that end: a made-up market never would; give a number or virtual"),
        (
            ["--start", "2025-13-01"],
            "--start: must be a date or a time such as 2024-01-31 or 2024-01-31T12:00:00Z, was 2025-13-01",
        ),
        (["--balance", "much"], "--balance: must be a number, was much"),
        (["--balance", "-1"], "--balance: must be at least 0, was -1"),
        (["--balance", "1e16"], "--balance: must be at most 1000000000000000, was 1e16"),
        (
            ["--balance", "1e-40"],
            "--balance: must be a number that is not so large, so small or so long, was 1e-40",
        ),
        (["--key", ""], '--key: must have at least 1 character, was ""'),
        (["--secret", ""], '--secret: must have at least 1 character, was ""'),
        (
            ["--log", "~nobody-of-this-name/x"],
            "--log: there is no such home folder: write the whole path, was ~nobody-of-this-name/x",
        ),
        (["--balance", "x", "--start", "y"], "--start: must be a date or a time such as 2024-01-31 or 2024-01-31"),
    ],
)
def test_a_wrong_option_is_named_with_what_to_write(refused, arguments, line):
    code, lines = refused(*arguments)
    assert code == 2
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("", ["f.yaml: must be a list of faults such as - close: {at: 10s}, was empty"]),
        ("close\n", ["f.yaml:1:1: must be a list of faults such as - close: {at: 10s}, was close"]),
        ("close: {at: 1s}\n", ["f.yaml:1:1: must be a list of faults such as - close: {at: 10s}, was a mapping"]),
        (
            "- close\n- []\n- {}\n- {close: {}, ban: {}}\n",
            [
                f"f.yaml:{number + 1}:3: [{number}]: must be one fault with what it is told, "
                f"such as close: {{at: 10s}}, was {was}"
                for number, was in enumerate(["close", "an empty list", "an empty mapping", "a mapping"])
            ],
        ),
        ("- clsoe: {}\n", ["f.yaml:1:3: [0].clsoe: is not known; did you mean close? known: adl, answer, "]),
        ("- close: [1]\n", ["f.yaml:1:10: [0].close: must be a mapping, was a list"]),
        ("- ban:\n- close: {at: 1s, at: 2s}\n", ["f.yaml:2:19: [1].close.at: is given a second time, first in line 2"]),
        (
            "- close: {att: 1s, lasting: 3s}\n",
            [
                "f.yaml:1:11: [0].close.att: is not known; did you mean at? known: at, on, after, count, chance, for, ",
                "f.yaml:1:20: [0].close.lasting: is not known; known: at, on, after, count, chance, for, path, code",
            ],
        ),
        (
            "- close:\n    at: soon\n    for: -1s\n    count: al\n    chance: 0\n    on: 5\n    code: x\n",
            [
                f"f.yaml:2:9: [0].close.at: {DURATION} soon",
                f"f.yaml:3:10: [0].close.for: {DURATION} -1s",
                "f.yaml:4:12: [0].close.count: must be a whole number, or all, was al",
                "f.yaml:5:13: [0].close.chance: must be above 0, was 0",
                "f.yaml:6:9: [0].close.on: must be text (in quotes), was 5",
                "f.yaml:7:11: [0].close.code: must be a whole number, was x",
            ],
        ),
        ("- swallow:\n", ["f.yaml:1:11: [0].swallow.on: is missing: write on: and its value (Streams)"]),
        ("- set_clock: {by: x}\n", [f"f.yaml:1:19: [0].set_clock.by: {DURATION} x"]),
        (
            "- answer: {on: GET /x, when: aftre, status: 200}\n",
            [
                "f.yaml:1:30: [0].answer.when: must be one of 'before' or 'after', was aftre; did you mean after?",
                "f.yaml:1:45: [0].answer.status: must be at least 400, was 200",
            ],
        ),
        (
            "- change_filter: {symbol: 5, tick: x, step: 0}\n",
            [
                "f.yaml:1:27: [0].change_filter.symbol: must be text (in quotes), was 5",
                "f.yaml:1:36: [0].change_filter.tick: must be a number, was x",
                "f.yaml:1:45: [0].change_filter.step: must be above 0, was 0",
            ],
        ),
        (
            "- liquidate: {pice: 1}\n",
            [
                "f.yaml:1:14: [0].liquidate.symbol: is missing: write symbol: and its value",
                "f.yaml:1:15: [0].liquidate.pice: is not known; did you mean price? known: at, on, ",
            ],
        ),
        ("- partial_fills: {size: x}\n", ["f.yaml:1:25: [0].partial_fills.size: must be a number, was x"]),
        (
            "- expire_listen_key: {when: 1s}\n",
            ["f.yaml:1:23: [0].expire_listen_key.when: is not known; known: at, on, "],
        ),
        (
            "- ban:\n- book_gap: {symbol: BTCUDST, at: 10s}\n",
            ["f.yaml:2:22: [1].book_gap.symbol: there is no contract BTCUDST; did you mean BTCUSDT? there are"],
        ),
        ("- close: {at: 1s\n", ["f.yaml:2:1: is no YAML: did not find expected ',' or '}'"]),
        ("\x00", ["f.yaml:1:1: holds a character that YAML forbids, U+0000: take it out"]),
        ("\udc89PNG", ["f.yaml:1:1: is not UTF-8: byte 0x89; save the file as UTF-8"]),
        ("- ban:\n---\n- ban:\n", ["f.yaml:2:1: a second document begins here"]),
        ("- close: !!python/object:os.system {}\n", ["f.yaml:1:10: [0].close: has the tag !!python/object:os.system"]),
    ],
)
def test_a_wrong_script_is_told_like_a_recipe_with_every_place(refused, tmp_path, script, lines):
    (tmp_path / "f.yaml").write_bytes(script.encode(errors="surrogateescape"))
    code, told = refused("--faults", "f.yaml")
    assert code == 2
    for found, line in zip(told, lines, strict=True):
        assert found.startswith(f"error: {line}")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("missing.yaml", "missing.yaml: cannot be read: No such file or directory"),
        (".", ".: is a folder: name a file in it"),
        ("", ".: is a folder: name a file in it"),
        ("/dev/zero", "/dev/zero: is a device or a socket: name a plain file"),
        ("~nobody-of-this-name/x", "--faults: there is no such home folder: write the whole path"),
    ],
)
def test_a_script_that_is_no_file(refused, path, line):
    code, lines = refused("--faults", path)
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith(f"error: {line}")


@settings(deadline=None)
@given(name=st.sampled_from(sorted(KINDS)), told=st.recursive(VALUES, lambda some: st.dictionaries(NAMES, some)))
def test_whatever_a_fault_is_told_it_is_read_or_refused_in_our_words(name, told):
    try:
        read({name: told})
    except FaultError as error:
        said = str(error)
    else:
        return
    assert said.startswith(name)
    assert said.isprintable()
    assert "Input should" not in said
    assert "pydantic" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "missing.gz"], "missing.gz: no such file"),
        (["--data", "BTCUSDT=missing.feather"], "missing.feather"),
        (["--interval", "7m", "--data", "BTCUSDT=x.csv"], "no candles of 7m"),
        (["--log", "nowhere/x.jsonl"], "--log nowhere/x.jsonl: cannot be written"),
        (["--log", "."], "--log .: cannot be written: Is a directory"),
        (["--host", "a..b"], "--host a..b --port 0: cannot listen: there is no such host: name an address of this"),
        (["--host", "203.0.113.7"], "--host 203.0.113.7 --port 0: cannot listen: no address of this machine"),
        (["--nothing"], "there is no option"),
    ],
)
def test_what_cannot_be_opened_is_one_line_and_code_2(program, arguments, words):
    process = program.start("venue", "--port", "0", *arguments)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert words in errors
    assert len(errors.strip().splitlines()) == 1


def test_an_address_with_colons_is_in_brackets(started):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    _, said = started("--host", "::1")
    assert said["url"].startswith("http://[::1]:")
    assert get(said["url"] + "/fapi/v1/time")["serverTime"] > 0


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", b"{", "the body must be JSON"),
        ("faults", b'{"close": {"att": 1}}', "close.att: is not known; did you mean at?"),
        (
            "faults",
            b'{"book_gap": {"symbol": "NOPE"}}',
            "book_gap.symbol: there is no contract NOPE; there are BTCUSDT",
        ),
        ("clock", b'{"advance": "soon"}', f"advance: {DURATION} soon"),
    ],
)
def test_the_control_endpoint_says_what_is_wrong(started, path, body, words):
    _, said = started("--speed", "virtual")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{said['url']}/venue/{path}", data=body, timeout=10)
    assert caught.value.code == 400
    assert words in json.loads(caught.value.read())["msg"]


def test_a_port_that_is_taken(program):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        errors = program.run("venue", "--port", str(port), code_expected=2)
    assert errors.strip().splitlines() == [errors.strip()]
    assert errors == (
        f"error: --host 127.0.0.1 --port {port}: cannot listen: something else listens there: name another --port\n"
    )


def test_it_ends_though_a_request_is_never_answered(started, tmp_path):
    faults = tmp_path / "faults.yaml"
    faults.write_text(
        "- drop_reply: {on: GET /fapi/v1/ping, silent: true}\n- delay: {on: GET /fapi/v1/time, by: 90s}\n"
    )
    process, said = started("--faults", faults)
    port = int(said["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as one, socket.create_connection(("127.0.0.1", port)) as two:
        one.sendall(b"GET /fapi/v1/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        two.sendall(b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 10
        while sum(each["hits"] for each in get(said["url"] + "/venue/faults")) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert ends(process, signal.SIGTERM) == (0, "", "")
