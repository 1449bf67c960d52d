"""`quantmind venue` as its user starts it."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.request

import pytest


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "missing.gz"], "missing.gz: no such file"),
        (["--data", "a.gz", "--data", "b.gz"], "give one raw recording"),
        (["--data", "BTCUSDT=missing.feather"], "missing.feather"),
        (["--data", "BTCUSDT="], "must be SYMBOL=FILE"),
        (["--symbols", "BTC"], "BTC"),
        (["--symbols", "BTCUSDT", "--data", "a.gz"], "the data say which contracts"),
        (["--speed", "fast"], "--speed fast: must be a number"),
        (["--speed", "0"], "--speed 0: must be a number above 0"),
        (["--speed", "nan"], "--speed nan: must be a number above 0"),
        (["--speed", "max"], "speed max is for data that end"),
        (["--balance", "much"], "--balance much"),
        (["--interval", "7m", "--data", "BTCUSDT=x.csv"], "no candles of 7m"),
        (["--funding", "BTCUSDT=x.feather"], "funding of BTCUSDT need bars"),
        (["--faults", "missing.yaml"], "missing.yaml: cannot be read"),
        (["--faults", "bad.yaml"], "bad.yaml: [1].close.at: must be a duration"),
        (["--faults", "text.yaml"], "text.yaml: must be a list"),
        (
            ["--faults", "symbol.yaml"],
            "faults[0].book_gap.symbol: there is no contract NOPEUSDT; there are BTCUSDT, ETH",
        ),
        (["--log", "nowhere/x.jsonl"], "--log nowhere/x.jsonl: cannot be written"),
        (["--nothing"], "there is no option"),
    ],
)
def test_bad_options_are_one_line_and_code_2(program, arguments, words):
    (program.folder / "bad.yaml").write_text("- ban:\n- close: {at: soon}\n")
    (program.folder / "symbol.yaml").write_text("- book_gap: {symbol: NOPEUSDT, at: 10s}\n")
    (program.folder / "text.yaml").write_text("close\n")
    process = program.start("venue", "--port", "0", *arguments)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert words in errors
    assert len(errors.strip().splitlines()) == 1 or "Usage:" in errors


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
