import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from quantmind.cli import VERBS
from quantmind.plugins import Plugins

ROOT = Path(__file__).parents[2]
READMES = sorted((ROOT / "plugins").glob("*/README.md"))
ADDED = {"venue", "zeromq"}
EMPTY = "<!-- quantmind: component protection take_profit -->\n<!-- quantmind: end -->\n"


def blocks(readme):
    return re.findall(r"^```yaml\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)


def test_the_readme_of_every_plugin_is_current(quantmind, folder):
    code, output, errors = quantmind("--no-plugins", "plugins", "readme", "--check", *READMES)
    assert (code, errors) == (0, ""), output
    assert len(output.splitlines()) == len(READMES)


def test_every_component_and_command_stands_in_the_readme_of_its_folder():
    marked = {
        (kind, name): readme.parent.name
        for readme in READMES
        for kind, name in re.findall(r"^<!-- quantmind: component (\w+) (\w+) -->$", readme.read_text(), re.MULTILINE)
    }
    rows = [row for row in Plugins(only_own=True, environ={}).all() if row.kind]
    expected = {(row.kind, row.name): row.module for row in rows}
    assert marked == {**expected, **{("command", name): f"quantmind_{name}" for name in ADDED}}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_every_recipe_in_the_readme_of_a_plugin_lints(readme, quantmind, folder):
    base = yaml.safe_load((ROOT / "recipes" / "quickstart.yaml").read_text())
    base["strategies"] = ["momentum", "mean_reversion"]
    base["risk"]["protection"] = [{"fixed_stop": {"part": 0.02}}]
    parts = [each for each in map(yaml.safe_load, blocks(readme)) if isinstance(each, dict)]
    for number, part in enumerate(parts):
        whole = {**base, **part, "risk": {**base["risk"], **part.get("risk", {})}}
        Path(f"{number}.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    if parts:
        code, output, errors = quantmind("--no-plugins", "lint", *(f"{number}.yaml" for number in range(len(parts))))
        assert code == 0, (output, errors)


def test_a_part_is_written_and_then_current(quantmind, folder):
    file = folder / "README.md"
    file.write_text(f"# A\n\n{EMPTY}\nafter\n")
    code, output, _ = quantmind("plugins", "readme", "--check", "README.md")
    assert (code, output) == (1, "README.md:3: component protection take_profit: stale\n")
    assert file.read_text() == f"# A\n\n{EMPTY}\nafter\n"
    code, output, _ = quantmind("plugins", "readme", "README.md")
    assert (code, output) == (0, "README.md:3: component protection take_profit: written\n")
    text = file.read_text()
    assert text.startswith(
        "# A\n\n<!-- quantmind: component protection take_profit -->\n\nLeaves a position at a profit"
    )
    assert text.endswith("\n\n<!-- quantmind: end -->\n\nafter\n")
    for check in ([], ["--check"]):
        code, output, _ = quantmind("plugins", "readme", *check, "README.md")
        assert (code, output) == (0, "README.md: current, 1 generated part\n")
    assert file.read_text() == text
    assert sorted(path.name for path in folder.iterdir()) == ["README.md"]


def test_json_has_a_row_for_each_part(quantmind, folder):
    (folder / "a.md").write_text(f"{EMPTY}<!-- quantmind: hooks -->\n<!-- quantmind: end -->\n")
    _, output, _ = quantmind("plugins", "readme", "a.md", "--json")
    rows = json.loads(output)
    assert [(row["part"], row["state"]) for row in rows] == [
        *(("component protection take_profit", "written"), ("hooks", "written"))
    ]
    lines = (folder / "a.md").read_text().splitlines()
    assert [lines[row["line"] - 1] for row in rows] == [f"<!-- quantmind: {row['part']} -->" for row in rows]
    code, output, _ = quantmind("plugins", "readme", "a.md", "--json", "--check")
    assert code == 0
    assert {row["state"] for row in json.loads(output)} == {"current"}


def test_the_tables_of_a_distribution_do_not_know_of_others(quantmind, folder, stranger):
    (folder / "a.md").write_text(
        "".join(
            f"<!-- quantmind: {words} -->\n<!-- quantmind: end -->\n"
            for words in ("commands quantmind", "components quantmind")
        )
    )
    (folder / "b.md").write_text("<!-- quantmind: components Stranger -->\n<!-- quantmind: end -->\n")
    assert quantmind("plugins", "readme", "a.md", "b.md")[0] == 0
    text = (folder / "a.md").read_text()
    assert re.findall(r"^\| `quantmind (\w+)` \| .+\. \|$", text, re.MULTILINE) == [*VERBS, *sorted(ADDED)]
    own = [(row.kind, row.name) for row in Plugins(only_own=True, environ={}).all() if row.kind]
    assert re.findall(r"^\| (\w+) \| `(\w+)` \| .+\. \|$", text, re.MULTILINE) == own
    assert "| sink | `stranger` | Comes from elsewhere. |" in (folder / "b.md").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing\n", "a.md: has no generated part: write `<!-- quantmind: component KIND NAME -->`"),
        ("x\n<!-- quantmind: hooks -->\n", "a.md:2: hooks is not ended: write `<!-- quantmind: end -->` below it"),
        (
            "<!-- quantmind: hoks -->\n<!-- quantmind: end -->\n",
            "a.md:1: nothing is made for hoks; did you mean hooks?",
        ),
        (
            "<!-- quantmind: components -->\n<!-- quantmind: end -->\n",
            "a.md:1: components must be: components DISTRIBUTION",
        ),
        (
            "<!-- quantmind: components quantmin -->\n<!-- quantmind: end -->\n",
            "a.md:1: no component is brought by the distribution quantmin; did you mean quantmind?",
        ),
        (
            "\n<!-- quantmind: component strategy momentun -->\n<!-- quantmind: end -->\n",
            "a.md:2: no strategy is called momentun; did you mean momentum?",
        ),
        (
            "<!-- quantmind: component stratgy momentum -->\n<!-- quantmind: end -->\n",
            "a.md:1: no kind is called stratgy; did you mean strategy?",
        ),
    ],
)
def test_what_cannot_be_made_is_told_with_its_line_and_nothing_is_written(quantmind, folder, text, said):
    (folder / "a.md").write_text(text)
    (folder / "b.md").write_text(EMPTY)
    code, output, errors = quantmind("--no-plugins", "plugins", "readme", "b.md", "a.md")
    assert (code, output) == (1, "")
    assert [line for line in errors.splitlines() if line.startswith(f"error: {said}")] == errors.splitlines()
    assert (folder / "b.md").read_text() == EMPTY
    assert (folder / "a.md").read_text() == text


def test_every_problem_of_every_file_is_told(quantmind, folder):
    (folder / "a.md").write_text("<!-- quantmind: end -->\n<!-- quantmind: hooks\n")
    (folder / "b.md").write_text("none\n")
    _, _, errors = quantmind("plugins", "readme", "a.md", "b.md")
    assert [line.split(": ")[1] for line in errors.splitlines()] == ["a.md:1", "a.md:2", "b.md"]


def test_what_is_no_text_or_cannot_be_written_is_told(quantmind, folder):
    (folder / "a.md").write_bytes(b"abc\xff")
    code, _, errors = quantmind("plugins", "readme", "a.md")
    assert (code, errors) == (1, "error: a.md: is not UTF-8: byte 4: save it as UTF-8\n")
    code, _, errors = quantmind("plugins", "readme", "no.md")
    assert code == 2
    assert "no.md" in errors


def test_where_one_file_does_not_fit_on_the_disk_none_changes(process, folder):
    (folder / "a.md").write_text(EMPTY)
    (folder / "b.md").write_text("<!-- quantmind: component executor paper -->\n<!-- quantmind: end -->\n")
    done = process(
        """
        import resource, signal, sys
        from quantmind.cli import main
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        sys.exit(main())
        """,
        *("plugins", "readme", "a.md", "b.md"),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: b.md: cannot be written: File too large\n"
    assert (folder / "a.md").read_text() == EMPTY
    assert sorted(path.name for path in folder.iterdir()) == ["a.md", "b.md"]


def test_mode_and_link_of_a_file_stay(quantmind, folder):
    (folder / "real.md").write_text(EMPTY)
    (folder / "real.md").chmod(0o640)
    (folder / "link.md").symlink_to("real.md")
    assert quantmind("plugins", "readme", "link.md")[0] == 0
    assert (folder / "link.md").is_symlink()
    assert (folder / "real.md").stat().st_mode & 0o777 == 0o640
    assert "Leaves a position" in (folder / "real.md").read_text()


def test_ends_of_lines_stay(quantmind, folder):
    (folder / "a.md").write_bytes(b"\xef\xbb\xbfone\r\n" + EMPTY.replace("\n", "\r\n").encode() + b"two\nthree")
    assert quantmind("plugins", "readme", "a.md")[0] == 0
    content = (folder / "a.md").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfone\r\n<!-- quantmind: ")
    assert content.endswith(b"<!-- quantmind: end -->\r\ntwo\nthree")
    assert content.count(b"\r\n") == content.count(b"\n") - 1
    assert quantmind("plugins", "readme", "--check", "a.md")[0] == 0


def test_a_stale_readme_of_a_plugin_is_noticed(quantmind, folder):
    shutil.copy(READMES[0], folder / "README.md")
    text = (folder / "README.md").read_text()
    (folder / "README.md").write_text(text.replace("| required |", "| not required |", 1))
    code, output, _ = quantmind("--no-plugins", "plugins", "readme", "--check", "README.md")
    assert code == 1
    assert re.fullmatch(r"README\.md:\d+: component \w+ \w+: stale\n", output)
    (folder / "README.md").write_text(f"Prose.\n\n{text}\nMore of it.\n")
    assert quantmind("--no-plugins", "plugins", "readme", "--check", "README.md")[0] == 0
