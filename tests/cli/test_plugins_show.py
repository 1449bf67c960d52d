import json
import re
import sys

import pytest

from quantmind.kinds import KINDS


def test_a_component_is_shown(quantmind, folder):
    code, output, errors = quantmind("--no-plugins", "plugins", "show", "strategy", "momentum")
    assert (code, errors) == (0, "")
    assert re.match(r"strategy momentum \(quantmind \S+, quantmind_momentum\)\n\nFollows the trend: ", output)
    for part in (
        "\nOptions\n  interval (duration, default 1m)\n      The length of the bars.\n",
        "\nExample\n  strategies:\n    - momentum: {interval: 1m, rsi: 14, fast: 12, slow: 26}\n",
        "\n  needs: bars of 1m, 260 before the first\n",
    ):
        assert part in output


def test_capabilities_are_told_in_words(quantmind, folder):
    _, output, _ = quantmind("plugins", "show", "fixed_stop")
    assert "\nCapabilities\n  protects: promises a stop for every position" in output


def test_a_name_is_enough_where_only_one_kind_has_it(quantmind, folder):
    assert quantmind("plugins", "show", "momentum") == quantmind("plugins", "show", "strategy", "momentum")


def test_json_is_one_object_with_all_of_it(quantmind, folder):
    code, output, _ = quantmind("plugins", "show", "sizing", "kelly", "--json")
    assert code == 0
    found = json.loads(output)
    assert (found["kind"], found["name"], found["distribution"]) == ("sizing", "kelly", "quantmind")
    assert found["example"] == {"win_rate": 0.55, "reward_risk": 1.5, "fraction": 0.5, "cap": 2}
    assert found["options"][3] == {
        "name": "measured.wins",
        "type": "number",
        "bounds": "above 0",
        "default": "",
        "required": True,
        "secret": False,
        "description": "The wins believed in before the first trade: a of the Beta prior.",
    }
    assert found["relations"] == {}


def test_markdown_is_what_readme_writes(quantmind, folder):
    _, output, _ = quantmind("plugins", "show", "take_profit", "--markdown")
    (folder / "R.md").write_text("<!-- quantmind: component protection take_profit -->\n<!-- quantmind: end -->\n")
    assert quantmind("plugins", "readme", "R.md")[0] == 0
    assert f"-->\n\n{output}\n<!--" in (folder / "R.md").read_text()


def test_a_command_of_a_plugin_is_shown(quantmind, folder):
    code, output, _ = quantmind("plugins", "show", "command", "zeromq")
    assert code == 0
    for part in (
        "Commands\n  quantmind zeromq keys\n",
        "  quantmind zeromq keys [OPTIONS] FOLDER\n",
        "  --force (flag)\n",
    ):
        assert part in output
    found = json.loads(quantmind("plugins", "show", "command", "zeromq", "--json")[1])
    assert (found["kind"], found["name"], found["path"]) == ("command", "zeromq", "quantmind zeromq")
    assert [each["path"] for each in found["commands"]] == ["quantmind zeromq keys"]
    assert quantmind("plugins", "show", "command", "zeromq", "--markdown")[1].startswith("Work for pipelines")


def test_what_comes_from_elsewhere_names_who_brings_it(quantmind, folder, stranger):
    code, output, _ = quantmind("plugins", "show", "stranger")
    assert code == 0
    assert output.startswith(
        "sink stranger (stranger 2.0, stranger_sink)\n\nComes from elsewhere.\n\nOptions\n  none\n"
    )
    assert "\nExample\n  sinks:\n    - stranger\n" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["momentun"], "no component or command is called momentun; did you mean momentum?"),
        (["strategy"], "strategy is a kind: name one of it as well: mean_reversion, momentum"),
        (["stratgy", "momentum"], "no kind is called stratgy; did you mean strategy? kinds: feed, "),
        (["strategy", "momentun"], "no strategy is called momentun; did you mean momentum? "),
        (["feed", "momentum"], "no feed is called momentum: it is a component of kind strategy; "),
        (["command", "venu"], "no command is called venu; did you mean venue? "),
        (["ccxt"], "write `quantmind plugins show archive ccxt` or `quantmind plugins show feed ccxt`"),
        (["zeromq"], "write `quantmind plugins show transport zeromq` or `quantmind plugins show command zeromq`"),
        (["a", "b", "c"], "one thing at a time: quantmind plugins show a b"),
        (["momentum", "--json", "--markdown"], "--json and --markdown exclude each other"),
        ([], "NAME"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(quantmind, folder, arguments, said):
    code, output, errors = quantmind("--no-plugins", "plugins", "show", *arguments)
    assert (code, output) == (2, "")
    assert said in errors
    assert "Traceback" not in errors


def test_a_plugin_that_does_not_load_is_told(quantmind, folder, stranger):
    (stranger / "stranger_sink.py").write_text("import no_such_module\n")
    sys.modules.pop("stranger_sink", None)
    code, _, errors = quantmind("plugins", "show", "stranger")
    assert code == 2
    assert "the plugin stranger 2.0 (stranger_sink) that has it: ModuleNotFoundError" in errors
    code, _, errors = quantmind("plugins", "show", "sink", "stranger")
    assert code == 2
    assert "ModuleNotFoundError" in errors


def test_what_is_not_allowed_is_not_loaded(quantmind, folder, stranger):
    code, _, errors = quantmind("--no-plugins", "plugins", "show", "stranger")
    assert code == 2
    assert "is left out by --no-plugins" in errors
    assert "stranger_sink" not in sys.modules


def test_the_help_names_every_kind(quantmind):
    output = quantmind("plugins", "show", "--help")[1]
    assert [kind for kind in (*KINDS, "command") if kind not in output] == []


def test_lines_fit_the_terminal(quantmind, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    output = quantmind("plugins", "show", "time_stop")[1]
    assert max(map(len, output.splitlines())) <= 50
