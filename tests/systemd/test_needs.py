import pytest

from quantmind.errors import RecipeError
from quantmind.systemd.layout import Layout
from quantmind.systemd.needs import addresses, is_loopback, needs, stages
from quantmind.systemd.notices import notices
from quantmind.systemd.units import units

DATA = {
    "name": "small",
    "feeds": [{"ccxt": {"key": "${credential:feed-key}"}}],
    "transport": {
        "nats": {
            "servers": ["nats://u:${credential:bus}@127.0.0.1:4222"],
            "ca": "${file:/home/trader/ca.pem}",
            "password": "a$${credential:none}",
        }
    },
    "strategies": ["momentum"],
    "allocator": {"equal_weight": {}},
    "risk": {"sizing": []},
    "executor": {"venue": {"secret": "${credential:venue-secret}", "host": "${HOST}", "port": "${PORT:-1}"}},
    "sinks": [{"redis": {"url": "${file:secrets/url}"}}],
    "tests": [{"name": "${credential:never}"}],
    "limits": [],
}


@pytest.fixture
def layout(tmp_path):
    return Layout(recipe=tmp_path / "small.yaml", recipe_name="small", folder=tmp_path, name="quantmind-small")


@pytest.mark.parametrize(
    ("stage", "shared", "files"),
    [
        ("feed", ("feed-key",), ("/home/trader/ca.pem",)),
        ("strategy", (), ("/home/trader/ca.pem",)),
        ("execution", ("venue-secret",), ("/home/trader/ca.pem",)),
        ("sink", (), ("secrets/url", "/home/trader/ca.pem")),
    ],
)
def test_a_stage_needs_the_secrets_of_its_own_sections(stage, shared, files):
    need = needs(DATA, stage)
    assert need.credentials == shared
    assert need.own_credentials == ("bus",)
    assert need.files == files
    assert need.variables == ("HOST",)


def test_one_process_needs_all_of_them():
    need = needs({**DATA, "transport": None}, None)
    assert need.credentials == ("feed-key", "venue-secret")
    assert need.own_credentials == ()


def test_each_stage_gets_its_own_secrets_and_no_other(layout):
    files = {path.name: text for path, text in units(layout, DATA).items()}
    loaded = {
        stage: [line for line in files[f"quantmind-small-{stage}.service"].splitlines() if "LoadCredential" in line]
        for stage in stages(DATA)
    }
    folder = "/etc/quantmind/credentials"
    assert loaded == {
        "feed": [
            f"LoadCredential=feed-key:{folder}/feed-key",
            f"LoadCredential=bus:{folder}/feed/bus",
        ],
        "strategy": [f"LoadCredential=bus:{folder}/strategy/bus"],
        "execution": [
            f"LoadCredential=venue-secret:{folder}/venue-secret",
            f"LoadCredential=bus:{folder}/execution/bus",
        ],
        "sink": [f"LoadCredential=bus:{folder}/sink/bus"],
    }
    assert "BindReadOnlyPaths=/home/trader/ca.pem" in files["quantmind-small-feed.service"]


def test_the_operator_is_told_what_to_write(layout):
    told = notices(layout, DATA)
    assert "set HOST in /etc/quantmind/small.env, which every stage reads" in told
    assert sum("write the credential" in line for line in told) == 6
    assert any(line.startswith("write the credential /etc/quantmind/credentials/sink/bus,") for line in told)
    assert any(line.startswith("secrets/url must be readable") for line in told)


@pytest.mark.parametrize("name", ["../venue", "a b", "", "a:b", ".."])
def test_a_credential_that_systemd_cannot_name_is_refused(name):
    with pytest.raises(RecipeError, match="a name may hold"):
        needs({**DATA, "executor": {"venue": {"secret": f"${{credential:{name}}}"}}}, "execution")


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("tcp://127.0.0.1:5555", True),
        ("tcp://localhost:5555", True),
        ("tcp://[::1]:5555", True),
        ("nats://u:${credential:p}@127.8.0.1:4222", True),
        ("${BUS:-tcp://127.0.0.1:5555}", True),
        ("ipc:///run/quantmind/small/bus", True),
        ("tcp://10.0.0.1:5555", False),
        ("tcp://127.evil.example:5555", False),
        ("tcp://*:5555", False),
        ("tcp://[127:5555", False),
        ("nats://127.0.0.1:4222,nats://10.0.0.1:4222", False),
        ("${BUS}", False),
    ],
)
def test_what_is_on_this_machine_for_certain(text, loopback):
    found = addresses({"transport": {"bus": {"endpoint": text, "mark": 1000}}})
    assert found
    assert all(map(is_loopback, found)) == loopback


@pytest.mark.parametrize("transport", [None, "inproc", {"inproc": None}, {"inproc": {}}])
def test_one_process_has_no_stages(transport):
    assert stages({**DATA, "transport": transport}) == ()
