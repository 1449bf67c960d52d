"""A pipeline on two hosts, each a network namespace: only for who has a key, and whole after being cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter

import nkeys
import pytest
import yaml

from quantmind.kinds.transport import STAGES
from quantmind.trader.journal_reader import JournalReader

BTC = "BTC/USDT:USDT"
NEAR, FAR = "10.213.77.1", "10.213.77.2"
CUT = 10.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)


class Host:
    """A network namespace with one address."""

    def __init__(self, name, address):
        self.name, self.address = name, address

    def start(self, program, *arguments, code=""):
        source = f"{code}\nimport sys\nfrom quantmind.cli import main\nsys.exit(main())"
        command = [sys.executable, "-c", source, *arguments]
        if arguments and arguments[0] == "nats-server":
            command = list(arguments)
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            cwd=program.folder,
            env=program.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def hosts(server_binary):
    """Two hosts with a cable between them."""
    server_binary("ip", "iproute2")
    if os.geteuid() != 0:
        if os.environ.get("QUANTMIND_REQUIRE_SERVERS"):
            pytest.fail("needs root for network namespaces")
        pytest.skip("needs root for network namespaces")
    tag = uuid.uuid4().hex[:6]
    near, far = Host(f"qm-{tag}-near", NEAR), Host(f"qm-{tag}-far", FAR)
    try:
        for host in (near, far):
            run("ip", "netns", "add", host.name)
        run(
            "ip", "link", "add", f"qm{tag}a", "netns", near.name, "type", "veth", "peer", f"qm{tag}b", "netns", far.name
        )
        for host, link in ((near, f"qm{tag}a"), (far, f"qm{tag}b")):
            run("ip", "-n", host.name, "addr", "add", f"{host.address}/24", "dev", link)
            run("ip", "-n", host.name, "link", "set", "lo", "up")
            run("ip", "-n", host.name, "link", "set", link, "up")
        far.link = f"qm{tag}b"
        yield near, far
    finally:
        for host in (near, far):
            subprocess.run(["ip", "netns", "del", host.name], check=False, capture_output=True)


@pytest.fixture
def spread(program, hosts):
    """A recipe whose sinks are on another host than the rest."""
    strangers = os.pathsep.join([str(path) for path in program.paths])
    program.environ = {**os.environ, "PYTHONPATH": strangers}

    def write(transport, name="spread"):
        plain = {
            "name": name,
            "instruments": [BTC],
            "feeds": [{"synthetic": {"live": True, "quote_interval": "10ms", "trade_interval": "20ms", "seed": 5}}],
            "transport": transport,
            "strategies": [{"restless": {"every": 100}}],
            "allocator": "equal_weight",
            "risk": {
                "sizing": [{"fixed_quantity": {"quantity": "0.5"}}],
                "protection": [{"fixed_stop": {"part": 0.02}}],
                "max_age": "3s",
            },
            "executor": {"paper": {"account": name, "balance": 1000000}},
            "sinks": ["jsonl"],
        }
        path = program.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(plain))
        return path.name

    return write


def written(program, name="spread"):
    file = program.folder / "state" / "sinks" / name / "events.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def until(true, what, processes=(), seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        for process in processes:
            if process.poll() is not None:
                raise AssertionError((what, process.args[-3:], *process.communicate()))
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)


def recorded(program):
    """Return the number of the last fact on record."""
    homes = list((program.folder / "state" / "accounts").glob("*/journal.sqlite"))
    journal = JournalReader.open(homes[0].parent) if homes else None
    progress = journal.progress() if journal else None
    if journal:
        journal.close()
    return progress.number if progress else 0


def cut_off_and_whole(program, hosts, recipe):
    """Run the sinks on the far host, cut it off for a while, and see that it has every fact in the end."""
    near, far = hosts
    began = recorded(program) + 1
    started = {stage: near.start(program, "run", recipe, "--stage", stage) for stage in STAGES[:3]}
    started["sink"] = far.start(program, "run", recipe, "--stage", "sink")
    try:
        fills = lambda: [told for told in written(program) if told["type"] == "fill"]  # noqa: E731 - of the moment
        until(lambda: len(fills()) > 5, "fills reach the far host", started.values())
        run("ip", "-n", far.name, "link", "set", far.link, "down")
        time.sleep(CUT)
        before = len(fills())
        run("ip", "-n", far.name, "link", "set", far.link, "up")
        until(lambda: len(fills()) > before + 10, "it goes on", started.values())
        for stage in STAGES:
            started[stage].send_signal(signal.SIGTERM)
            output, errors = started[stage].communicate(timeout=30)
            assert started[stage].returncode == 0, (stage, output, errors)
            if stage == "execution":
                # The last facts are on their way to who stops after it.
                time.sleep(1.0)
    finally:
        for process in started.values():
            process.kill()
            process.communicate()
    (home,) = (program.folder / "state" / "accounts").iterdir()
    journal = JournalReader.open(home)
    facts = [fact for _, fact in journal.facts() if type(fact).__name__ != "Valuation"]
    journal.close()
    numbers = Counter(told["number"] for told in written(program) if "number" in told)
    # Sinks that are new begin with the run that they join.
    told = Counter(fact.number for fact in facts if fact.number >= began)
    assert numbers == told, "a fact was lost, or came twice"


def test_over_zeromq_with_curve(program, hosts, spread, tmp_path):
    near, far = hosts
    addresses = {stage: f"tcp://{FAR if stage == 'sink' else NEAR}:{5555 + n}" for n, stage in enumerate(STAGES)}
    plain = spread({"zeromq": {"endpoints": addresses}}, "plain")
    refused = near.start(program, "run", plain, "--stage", "execution")
    _, errors = refused.communicate(timeout=60)
    assert refused.returncode == 78
    assert "is not on this machine" in errors
    program.run("zeromq", "keys", str(tmp_path / "keys"))
    recipe = spread({"zeromq": {"endpoints": addresses, "curve": {"keys": str(tmp_path / "keys")}}})
    program.run("zeromq", "keys", str(tmp_path / "stranger"))
    # A stranger knows where everything is and whom it talks to, but has a key of its own making.
    for public in (tmp_path / "keys").glob("*.pub"):
        if public.name != "observer.pub":
            (tmp_path / "stranger" / public.name).write_bytes(public.read_bytes())
    strange = yaml.safe_load((program.folder / recipe).read_text())
    strange["transport"]["zeromq"]["curve"]["keys"] = str(tmp_path / "stranger")
    (program.folder / "strange.yaml").write_text(yaml.safe_dump({**strange, "name": "spread"}))
    stages = [near.start(program, "run", recipe, "--stage", stage) for stage in STAGES[:3]]
    try:
        own = far.start(program, "tap", recipe, "--topic", "operations", "--count", "20")
        output, errors = own.communicate(timeout=60)
        assert own.returncode == 0, errors
        other = far.start(program, "tap", "strange.yaml", "--count", "1")
        time.sleep(5)
        assert other.poll() is None
        other.send_signal(signal.SIGINT)
        heard, _ = other.communicate(timeout=30)
        assert heard == "", "who has a wrong key hears nothing"
        counted = far.start(program, "tap", recipe, "--topic", "operations", "--count", "60")
        output, errors = counted.communicate(timeout=60)
        vitals = [told for told in map(json.loads, output.splitlines()) if told["type"].lower() == "vitals"]
        found = {str(figure): figure for told in vitals for figure in told["figures"]}
        assert any("refused_clients" in text and not text.endswith("0.0]") for text in found), found.keys()
    finally:
        for process in stages:
            process.kill()
            process.communicate()
    cut_off_and_whole(program, hosts, recipe)


def key_pair():
    """Return the seed and the public key of a user."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode(), nkeys.from_seed(bytearray(seed)).public_key.decode()


@pytest.fixture
def broker(program, hosts, spread, server_binary, tmp_path):
    """A NATS server on the near host, with TLS and a key for each stage."""
    server_binary("nats-server", "nats-server")
    server_binary("openssl", "openssl")
    near, _ = hosts
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=broker"),
        *("-addext", f"subjectAltName=IP:{NEAR}", "-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"),
    )
    users = []
    for stage in (*STAGES, "observer"):
        seed, public = key_pair()
        (tmp_path / f"{stage}.nk").write_text(seed)
        (tmp_path / f"{stage}.nk").chmod(0o600)
        users.append(f"{{nkey: {public}}}")
    (tmp_path / "nats.conf").write_text(
        f"listen: {NEAR}:4222\njetstream {{store_dir: {tmp_path}/jetstream}}\n"
        f"tls {{cert_file: {tmp_path}/cert.pem, key_file: {tmp_path}/key.pem}}\n"
        f"authorization {{users: [{', '.join(users)}]}}\n"
    )
    server = near.start(program, "nats-server", "-c", str(tmp_path / "nats.conf"), "-l", str(tmp_path / "nats.log"))
    try:
        until(
            lambda: (tmp_path / "nats.log").exists() and "Server is ready" in (tmp_path / "nats.log").read_text(), "up"
        )
        yield {
            "url": f"tls://{NEAR}:4222",
            "tls": {"ca": str(tmp_path / "cert.pem")},
            "nkey": str(tmp_path / "{stage}.nk"),
            "connect_timeout": "10s",
        }
    finally:
        server.kill()
        server.communicate()


def test_over_nats_with_tls_and_nkeys(program, hosts, spread, broker, tmp_path):
    near, far = hosts
    plain = spread({"nats": {"url": f"nats://{NEAR}:4222"}}, "plain")
    refused = near.start(program, "run", plain, "--stage", "execution")
    _, errors = refused.communicate(timeout=60)
    assert refused.returncode == 78
    assert "is another machine" in errors
    (tmp_path / "wrong.nk").write_text(key_pair()[0])
    (tmp_path / "wrong.nk").chmod(0o600)
    wrong = spread({"nats": {**broker, "nkey": str(tmp_path / "wrong.nk")}})
    stranger = far.start(program, "tap", wrong, "--count", "1")
    heard, errors = stranger.communicate(timeout=60)
    assert stranger.returncode == 1
    assert heard == ""
    assert errors.splitlines()[-1].startswith("error: nats: "), errors
    assert "uthori" in errors or "refuse" in errors, errors
    assert "authentication error" in (tmp_path / "nats.log").read_text()
    cut_off_and_whole(program, hosts, spread({"nats": broker}))
