import json

import pytest

RECIPE = """\
name: small
instruments: [BTC/USDT:USDT]
feeds:
  - synthetic: {seed: 7, duration: 5m}
transport:
  zeromq: {endpoint: "tcp://127.0.0.1:5555"}
strategies:
  - momentum: {interval: 10s, fast: 5, slow: 13, rsi: 7}
allocator: equal_weight
risk:
  sizing:
    - fixed_quantity: {quantity: 0.1}
executor:
  paper: {account: demo, balance: 10000}
sinks:
  - console
"""


@pytest.fixture
def recipe(folder):
    (folder / "small.yaml").write_text(RECIPE)
    return "small.yaml"


def test_it_says_what_was_written_and_what_to_do_next(quantmind, recipe, folder):
    code, output, errors = quantmind("systemd", recipe, "--output", "units")
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert [line for line in lines if line.startswith("wrote ")] == [
        "wrote units/quantmind-small.target",
        "wrote units/quantmind-small-feed.service",
        "wrote units/quantmind-small-strategy.service",
        "wrote units/quantmind-small-execution.service",
        "wrote units/quantmind-small-sink.service",
    ]
    assert lines[-1] == "next: sudo systemctl enable --now quantmind-small.target"
    assert f"run {folder}/small.yaml --stage feed" in (folder / "units/quantmind-small-feed.service").read_text()
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in (folder / "units").iterdir())


def test_units_are_called_after_a_name_that_is_written_out(quantmind, folder):
    (folder / "r.yaml").write_text(RECIPE.replace("name: small", 'name: "${NAME:-small}"'))
    assert quantmind("lint", "r.yaml")[0] == 0
    code, output, errors = quantmind("systemd", "r.yaml", "--output", "units")
    assert (code, output) == (78, "")
    assert errors == (
        "error: r.yaml: name: is ${NAME:-small}, but units are called after it, whatever is set where they run: write "
        "it out\n"
    )
    assert not (folder / "units").exists()


def test_json(quantmind, recipe):
    code, output, _ = quantmind("systemd", recipe, "--output", "units", "--user", "--json")
    assert code == 0
    answer = json.loads(output)
    assert set(answer) == {"written", "notices", "next"}
    assert answer["next"][-1] == "systemctl --user enable --now quantmind-small.target"


def test_units_are_written_again_but_a_strangers_file_is_left(quantmind, recipe, folder):
    assert quantmind("systemd", recipe, "--output", "units")[0] == 0
    assert quantmind("systemd", recipe, "--output", "units")[0] == 0
    mine = folder / "units" / "quantmind-small-sink.service"
    mine.write_text("[Service]\nExecStart=/bin/true\n")
    others = folder / "units" / "quantmind-small-feed.service"
    before = others.stat().st_ino
    code, output, errors = quantmind("systemd", recipe, "--output", "units")
    assert (code, output) == (2, "")
    assert errors.startswith("error: units/quantmind-small-sink.service was not written by this command")
    assert mine.read_text().startswith("[Service]")
    assert others.stat().st_ino == before
    assert not [path for path in (folder / "units").iterdir() if path.name.startswith(".")]


def test_a_link_is_not_followed(quantmind, recipe, folder):
    (folder / "units").mkdir()
    (folder / "units" / "quantmind-small.target").symlink_to(folder / "nowhere")
    assert quantmind("systemd", recipe, "--output", "units")[0] == 2
    assert not (folder / "nowhere").exists()


def test_a_unit_that_is_needed_no_more_is_named(quantmind, recipe, folder):
    quantmind("systemd", recipe, "--output", "units")
    (folder / recipe).write_text(RECIPE.partition("sinks:")[0])
    _, output, _ = quantmind("systemd", recipe, "--output", "units")
    assert "note: units/quantmind-small-sink.service is needed no more: remove it" in output


def test_a_recipe_that_cannot_be_run(quantmind, recipe, folder):
    (folder / recipe).write_text(RECIPE.replace("fast: 5", "fast: 50"))
    code, output, errors = quantmind("systemd", recipe, "--output", "units")
    assert (code, output) == (78, "")
    assert errors.startswith("error: small.yaml:")
    assert not (folder / "units").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--user", "--user-name", "trader"), "--user-name is for units of the system"),
        (("--state", "../etc"), "must be one name"),
        (("--state", "/var/lib"), "must be one name"),
        (("--name", "a b"), "must be letters"),
        (("--user-name", "a\nb"), "must be the name of a user"),
    ],
)
def test_wrong_usage(quantmind, recipe, folder, options, message):
    code, _, errors = quantmind("systemd", recipe, "--output", "units", *options)
    assert code == 2
    assert message in errors
    assert not (folder / "units").exists()


def test_a_template_has_an_instance_for_each_stage(quantmind, recipe, folder):
    assert quantmind("systemd", recipe, "--output", "units", "--template")[0] == 0
    written = {str(path.relative_to(folder / "units")) for path in (folder / "units").rglob("*") if path.is_file()}
    assert written == {
        "quantmind-small.target",
        "quantmind-small@.service",
        *(f"quantmind-small@{stage}.service.d/stage.conf" for stage in ("feed", "strategy", "execution", "sink")),
    }
    (folder / recipe).write_text(RECIPE.replace("transport:", "").replace("  zeromq:", "# "))
    code, _, errors = quantmind("systemd", recipe, "--output", "units", "--template")
    assert code == 2
    assert "--template needs a recipe with a transport" in errors


def test_a_folder_that_cannot_be_written(quantmind, recipe, folder):
    (folder / "units").write_text("mine")
    code, _, errors = quantmind("systemd", recipe, "--output", "units")
    assert code == 2
    assert "units" in errors


def test_without_third_party_plugins_the_stages_load_none_either(quantmind, recipe, folder):
    assert quantmind("--no-plugins", "systemd", recipe, "--output", "units")[0] == 0
    assert "quantmind --no-plugins run" in (folder / "units/quantmind-small-feed.service").read_text()
