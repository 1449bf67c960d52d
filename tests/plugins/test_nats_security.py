from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nacl.signing
import nats
import nkeys
import pytest
from pydantic import ValidationError

import quantmind_nats
from quantmind.errors import QuantMindError
from quantmind.kinds.transport import OBSERVER, STAGES
from quantmind.testing import until
from quantmind_nats.options import NATSOptions
from quantmind_nats.transport import NATS

PERMISSIONS = Path(quantmind_nats.__file__).parent / "permissions.conf"
FAR = "nats://10.1.2.3:4222"


def transport(url: str, stage: str, *peers: str, handler: Any = None, **options: Any) -> NATS:
    made = NATS(NATSOptions(url=url, **options), "demo", stage)
    made.lossless = False
    if peers:
        made.subscribe(peers, handler)
    return made


async def refusal(made: NATS) -> str:
    """Return why a transport cannot be opened: at once, in one line, without its secrets."""
    with pytest.raises(QuantMindError) as caught:
        async with asyncio.timeout(10):
            await made.open()
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"url": "http://127.0.0.1:4222"}, "must be nats://HOST:PORT"),
        ({"url": "nats://"}, "must be nats://HOST:PORT"),
        ({"url": "nats://127.0.0.1:99999"}, "must be nats://HOST:PORT"),
        ({"url": ""}, "at least 1"),
        ({"url": FAR}, "10.1.2.3 is another machine: set `tls`"),
        ({"url": f"nats://localhost,{FAR}"}, "10.1.2.3 is another machine"),
        ({"url": FAR, "tls": {}}, "10.1.2.3 is another machine"),
        ({"url": FAR, "user": "feed", "password": "secret"}, "10.1.2.3 is another machine"),
        ({"url": "tls://broker.example"}, "broker.example is another machine"),
        ({"url": "nats://localhost.example", "tls": {}}, "localhost.example is another machine"),
        ({"url": "nats://0.0.0.0:4222"}, "0.0.0.0 is another machine"),
        ({"user": "feed"}, "`user` and `password` belong together"),
        ({"password": "secret"}, "`user` and `password` belong together"),
        ({"nkey": "SU", "credentials": "/a.creds"}, "one of `user`, `nkey` and `credentials` is enough"),
        ({"tls": {"key": "/a.key"}}, "set `certificate` too"),
        ({"buffer": 0}, "greater than or equal"),
        ({"replicas": 9}, "less than or equal"),
        ({"servers": []}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be_are_refused(options, told):
    with pytest.raises(ValidationError) as caught:
        NATSOptions(**options)
    assert told in str(caught.value)


def test_a_password_in_the_url_is_refused_and_not_repeated():
    with pytest.raises(ValidationError) as caught:
        NATSOptions(url="nats://feed:secret@127.0.0.1")
    (fault,) = caught.value.errors()
    assert "set `user` and `password`" in fault["msg"]
    assert "secret" not in fault["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": "nats://127.9.9.9"},
        {"url": "nats://[::1]:4222"},
        {"url": ["nats://localhost:1", "tls://127.0.0.1:2"]},
        {"url": FAR, "tls": {"ca": "/ca.pem"}, "nkey": "/etc/{stage}.nk"},
        {"url": "tls://a.example, tls://b.example", "user": "{stage}", "password": "secret"},
        {"url": FAR, "tls": {}, "credentials": "/etc/{stage}.creds"},
    ],
)
def test_options_that_are_safe_are_taken(options):
    assert NATSOptions(**options)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory, server_binary):
    """The folder of a certificate authority, of one nobody trusts, and of what they signed."""
    openssl = server_binary("openssl", "openssl")
    folder = tmp_path_factory.mktemp("certificates")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    for authority in ("ca", "other"):
        made = f"-x509 -newkey rsa:2048 -nodes -keyout {authority}.key -out {authority}.pem -days 2"
        run("req", *made.split(), "-subj", f"/CN={authority}", "-addext", "keyUsage=critical,keyCertSign")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "feed", "strategy"):
        run("req", *f"-newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr".split(), "-subj", f"/CN={name}")
        signed = f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2"
        run(*signed.split(), "-extfile", "names")
    return folder


def with_tls(folder: Path, certificates: Path, verify: bool) -> str:
    """Write a server's configuration; returns its path."""
    path = folder / "tls.conf"
    path.write_text(
        f'tls {{cert_file: "{certificates}/server.pem", key_file: "{certificates}/server.key", '
        f'ca_file: "{certificates}/ca.pem", verify: {str(verify).lower()}}}'
    )
    return str(path)


@pytest.mark.parametrize("verify", [False, True], ids=["server", "mutual"])
async def test_frames_go_over_tls(make_nats_server, certificates, tmp_path, verify):
    url = make_nats_server("-c", with_tls(tmp_path, certificates, verify)).url
    heard: list[Any] = []
    own = {"certificate": f"{certificates}/{{stage}}.pem", "key": f"{certificates}/{{stage}}.key"} if verify else {}
    tls = {"ca": f"{certificates}/ca.pem", **own}
    strategy = transport(url, "strategy", "feed", handler=lambda *frame: heard.append(frame), tls=tls)
    async with strategy, transport(url, "feed", tls=tls) as feed:
        for number in range(3_000):
            feed.publish("market", b"%d" % number + bytes(1_000))
        await feed.drained()
        await until(lambda: len(heard) == 3_000)
        assert [int(frame.strip(b"\0")) for _, frame in heard] == list(range(3_000))
    stranger = f"{certificates}/other.pem"
    told = await refusal(transport(url, "feed", tls={"ca": stranger}))
    assert "no TLS (" in told
    assert "certificate): correct `tls`" in told
    if verify:
        bare = transport(url, "feed", tls={"ca": f"{certificates}/ca.pem"}, connect_timeout="300ms")
        assert url in await refusal(bare)


async def test_a_server_without_tls_is_told_nothing():
    said = b""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said
        writer.write(b'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"auth_required":true}\r\n')
        said += await reader.read()
        writer.close()

    between = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"nats://127.0.0.1:{between.sockets[0].getsockname()[1]}"
    made = transport(url, "feed", tls={}, user="feed", password="secret")
    assert "does not offer TLS" in await refusal(made)
    between.close()
    assert said == b""


async def test_missing_and_wrong_files_are_named(certificates, tmp_path):
    url = "nats://127.0.0.1:9"
    assert "the files of `tls`" in await refusal(transport(url, "feed", tls={"ca": "/absent.pem"}))
    assert "the files of `tls`" in await refusal(transport(url, "feed", tls={"certificate": f"{certificates}/ca.pem"}))
    assert "of `nkey` cannot be read" in await refusal(transport(url, "feed", nkey=f"{tmp_path}/{{stage}}.nk"))
    (tmp_path / "feed.creds").write_text("nothing")
    wrong = await refusal(transport(url, "feed", credentials=f"{tmp_path}/{{stage}}.creds"))
    assert f"{tmp_path}/feed.creds does not hold what `credentials` needs" in wrong
    assert "cannot be told who this stage is" in await refusal(transport(url, "feed", nkey="SUsecret"))


def key_pair() -> tuple[str, str]:
    """Return the seed and the public key of a new user."""
    seed = bytes(nacl.signing.SigningKey.generate())
    encoded = nkeys.encode_seed(seed, nkeys.PREFIX_BYTE_USER)
    return encoded.decode(), nkeys.from_seed(bytearray(encoded)).public_key.decode()


async def test_nkeys_tell_the_stages_apart(make_nats_server, tmp_path):
    seed, public = key_pair()
    (tmp_path / "feed.nk").write_text(f"{seed}\n")
    configuration = tmp_path / "nkeys.conf"
    configuration.write_text(f"authorization {{users: [{{nkey: {public}}}]}}")
    url = make_nats_server("-c", str(configuration)).url
    for nkey in (seed, f"{tmp_path}/{{stage}}.nk"):
        async with transport(url, "feed", nkey=nkey) as feed:
            feed.publish("market", b"frame")
            await feed.drained()
    assert "refuses this stage's user" in await refusal(transport(url, "feed", nkey=key_pair()[0]))
    assert "refuses this stage's user" in await refusal(transport(url, "feed"))


def token(issuer: nkeys.KeyPair, subject: str, **claims: Any) -> str:
    """Return a JWT as NATS wants it."""
    payload = {"jti": "x", "iat": 1, "iss": issuer.public_key.decode(), "name": "demo", "sub": subject, "nats": claims}
    parts = ({"typ": "JWT", "alg": "ed25519-nkey"}, {**payload, "nats": {"version": 2, **claims}})
    body = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return b".".join((body, base64.urlsafe_b64encode(issuer.sign(body)).rstrip(b"="))).decode()


async def test_a_credentials_file_tells_who_the_stage_is(make_nats_server, tmp_path):
    def made(prefix: int) -> tuple[str, nkeys.KeyPair]:
        encoded = nkeys.encode_seed(nacl.signing.SigningKey.generate().encode(), prefix)
        return encoded.decode(), nkeys.from_seed(bytearray(encoded))

    (_, operator), (_, account), (seed, user) = map(
        made, (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
    )
    public = account.public_key.decode()
    limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    of_account = token(operator, public, type="account", limits=limits)
    configuration = tmp_path / "operator.conf"
    configuration.write_text(
        f"operator: {token(operator, operator.public_key.decode(), type='operator')}\n"
        f"resolver: MEMORY\nresolver_preload: {{{public}: {of_account}}}\n"
    )
    url = make_nats_server("-c", str(configuration), jetstream=False).url
    of_user = token(account, user.public_key.decode(), type="user", subs=-1, data=-1, payload=-1)
    content = (
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
    (tmp_path / "feed.creds").write_text(content)
    for credentials in (content, f"{tmp_path}/{{stage}}.creds"):
        async with transport(url, "feed", credentials=credentials) as feed:
            feed.publish("market", b"frame")
            await feed.drained()
    (tmp_path / "feed.creds").write_text(content.replace(seed, key_pair()[0]))
    assert "refuses this stage's user" in await refusal(transport(url, "feed", credentials=f"{tmp_path}/feed.creds"))


PASSWORDS = {f"{who.upper()}_PASSWORD": f"secret-{who}" for who in (*STAGES, OBSERVER)}


@pytest.fixture
def guarded(make_nats_server):
    """A server with the permissions that the plugin's README shows."""
    return make_nats_server("-c", str(PERMISSIONS), **{**os.environ, **PASSWORDS})


def stage(url: str, name: str, *peers: str, handler: Any = None, user: str = "{stage}") -> NATS:
    who = name if user == "{stage}" else user
    return transport(url, name, *peers, handler=handler, user=user, password=f"secret-{who}")


async def test_each_stage_may_do_its_work(guarded):
    heard: dict[str, list[tuple[str, bytes]]] = {name: [] for name in (*STAGES, OBSERVER)}
    made = {
        name: stage(guarded.url, name, *STAGES, handler=lambda *frame, name=name: heard[name].append(frame))
        for name in ("execution", "feed", "strategy", "sink", OBSERVER)
    }
    for one in made.values():
        await one.open()
    try:
        await until(lambda: all(made[name]._follower._created for name in ("feed", "strategy", "sink")))
        for name in STAGES:
            for topic in ("market", "decisions", "operations", "facts"):
                made[name].publish(topic, f"{name} {topic}".encode())
        made["strategy"].keep("BTC/USDT:USDT", b"target")
        for one in made.values():
            async with asyncio.timeout(20):
                await one.drained()
        assert list(await made["execution"].kept("strategy")) == [b"target"]
        for name, frames in heard.items():
            expected = {
                (of, f"{of} {topic}".encode())
                for of in STAGES
                for topic in ("market", "decisions", "operations", "facts")
                if of != name
            }
            await until(lambda frames=frames, expected=expected: expected <= set(frames))
            assert set(frames) == expected
            assert len(frames) == len(expected)
        assert made["execution"]._recorder.active
        assert not any(one.figures["refused_by_permission"] for one in made.values())
    finally:
        for one in made.values():
            await one.close()


async def test_a_stage_cannot_speak_for_another_one(guarded, caplog):
    heard: list[tuple[str, bytes]] = []
    sink = stage(guarded.url, "sink", *STAGES, handler=lambda *frame: heard.append(frame))
    # A process with the user of strategy that says it is execution, or the feed.
    false = [stage(guarded.url, name, user="strategy") for name in ("execution", "feed")]
    async with sink, false[0], false[1]:
        for one in false:
            for topic in ("market", "facts", "decisions", "operations"):
                one.publish(topic, b"forged")
        await until(lambda: all(one.figures["refused_by_permission"] >= 3 for one in false))
        async with stage(guarded.url, "strategy") as true:
            true.publish("decisions", b"true")
            await until(lambda: ("strategy", b"true") in heard)
        assert heard == [("strategy", b"true")]
    told = [record.message for record in caplog.records if "grant it to the stage's user" in record.message]
    assert len(told) == len(set(told))
    assert any("quantmind.demo.feed.market" in text for text in told)


async def test_an_observer_cannot_speak_at_all(guarded):
    client = await nats.connect(guarded.url, user=OBSERVER, password=f"secret-{OBSERVER}", error_cb=_ignored)
    heard: list[Any] = []
    async with stage(guarded.url, "sink", *STAGES, handler=lambda *frame: heard.append(frame)) as sink:
        for subject in (
            "quantmind.demo.feed.market",
            "quantmind.demo.execution.facts",
            "$KV.quantmind_demo.strategy.a",
        ):
            await client.publish(subject, b"forged")
        await client.flush()
        await sink.drained()
        assert not heard
    assert "permissions violation" in str(client.last_error)
    await client.close()


async def _ignored(_: Exception) -> None:
    pass


async def test_a_wrong_password_is_named_at_once(guarded):
    made = transport(guarded.url, "feed", user="feed", password="secret-sink")
    assert "refuses this stage's user: correct `user`" in await refusal(made)
