"""Whatever is written, lint, load, show and test tell what is wrong with it, at its place, and never break."""

from __future__ import annotations

import contextlib
import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from quantmind.errors import RecipeError, UsageError
from quantmind.pipeline.recipe_test import REPLACED, prepare
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.document import Document, parse
from quantmind.recipe.faults import validate
from quantmind.recipe.findings import EnoughError, Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.lint import lint
from quantmind.recipe.load import load
from quantmind.recipe.problems import LONGEST, SHOWN, RecipeProblems
from quantmind.recipe.show import as_json, as_yaml
from quantmind.recipe.wiring import wire

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
RECIPES = [path.read_text() for path in sorted((ROOT / "recipes").glob("*.yaml"))]
SEEDS = [
    *RECIPES * 10,
    *(path.read_bytes().decode() for path in sorted(CORPUS.glob("*.yaml")) if path.stat().st_size < 5_000),
]
PROJECTS = [
    (ROOT / "quantmind.yaml").read_text(),
    *(path.read_text() for path in sorted((CORPUS / "project").glob("*.yaml"))),
]
PLUGINS = Plugins(environ={})
COMPONENTS = sorted(
    {(row.kind, row.name): PLUGINS.find(row.kind, row.name) for row in PLUGINS.all() if row.kind}.items(),
    key=lambda item: item[0],
)
ENVIRON = {"A": "one", "EMPTY": "", "HOME": "/home/trader", "SECRET": "hunter2-hunter2", "N": "5"}

_QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
_DEEP = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))

NASTY = (
    *("", "~", "null", "true", "no", "0", "-1", "1.5", "1e400", "-1e-400", ".nan", "-.inf", "1_000", "0x10", "010"),
    *(
        "9" * 400,
        "9" * 5_000,
        "0." + "3" * 100,
        "1e999999",
        "5m",
        "0s",
        "99999999w",
        "-1m",
        "2026-02-30",
        "9999-12-31",
        "12:30:45",
    ),
    *(
        "[]",
        "{}",
        "[[]]",
        "{a: }",
        "[1, {b: [2]}]",
        "'${A}'",
        "'${UNSET}'",
        "'${'",
        "'${SECRET}'",
        "'${file:x}'",
        "'${N}'",
    ),
    *(
        "*a",
        "&a 1",
        "!!str 1",
        "<<",
        "? ",
        "- ",
        ": ",
        "#",
        "'",
        '"',
        "@",
        "%",
        "|",
        ">",
        "\t",
        "\u00a0",
        "\ufeff",
        "\u2028",
        "\x85",
    ),
    *(
        '"\\0"',
        '"\\e[2J"',
        '"\\ud83d"',
        "\U0001f600",
        "x" * 500,
        "BTC/USDT:USDT",
        "/dev/zero",
        "a\nb: c",
        "id: x",
        "market",
        "exactly",
    ),
)
KEYS = re.compile(r"[A-Za-z_][A-Za-z0-9_/:]*(?=:( |$))", re.MULTILINE)
SCALARS = re.compile(r"(?<=[:,\[{] )[^\s,\[\]{}]+")


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory):
    """A working directory that nothing is above of."""
    patch = pytest.MonkeyPatch()
    place = tmp_path_factory.mktemp("fuzz")
    patch.chdir(place)
    yield place
    patch.undo()


@st.composite
def mutated(draw, texts):
    """A text that was sound or broken, with some lines, keys, values or parts changed."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines(keepends=True) or [""]
        at, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["drop", "again", "swap", "indent", "value", "key", "part", "insert", "cut"]))
        if what == "drop":
            del lines[at]
        elif what == "again":
            lines.insert(other, lines[at])
        elif what == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        elif what == "indent":
            lines[at] = draw(st.sampled_from(["  ", "\t", " ", "- "])) + lines[at]
        if what in {"drop", "again", "swap", "indent"}:
            text = "".join(lines)
            continue
        if what in {"value", "key"}:
            places = list((SCALARS if what == "value" else KEYS).finditer(text))
            if places:
                match = draw(st.sampled_from(places))
                new = draw(st.sampled_from(NASTY) | st.text(max_size=5))
                text = text[: match.start()] + new + text[match.end() :]
        elif what == "part":
            donor = draw(st.sampled_from(RECIPES)).splitlines(keepends=True)
            start = draw(st.integers(0, len(donor) - 1))
            lines[at:at] = donor[start : start + draw(st.integers(1, 8))]
            text = "".join(lines)
        else:
            where = draw(st.integers(0, len(text)))
            text = text[:where] + ("" if what == "cut" else draw(st.sampled_from(NASTY)) + text[where:])
    return text


def assert_told_well(problems, lines):
    """Each problem says something, on one short line, at a place that is in the file."""
    assert len(problems) <= SHOWN + 1
    for problem in problems:
        assert problem.message.strip()
        assert len(problem.message) <= LONGEST
        told = str(problem)
        assert told.isprintable()
        assert len(told) <= 3 * LONGEST
        assert ENVIRON["SECRET"] not in told
        mark = problem.mark
        assert mark is not None
        assert mark.file in {"r.yaml", "quantmind.yaml"}
        if mark.file == "r.yaml" and mark.line:
            assert mark.line <= len(lines) + 1
            length = len(lines[mark.line - 1]) if mark.line <= len(lines) else 0
            assert 1 <= mark.column <= length + 1


def lines_of(text):
    return re.split("\r\n|[\r\n\x85\u2028\u2029]", text.removeprefix("\ufeff"))


def examine(content, project="limits: []\n"):
    """Do with a recipe all that is done before it is run."""
    file = Path("r.yaml")
    file.write_bytes(content)
    Path("quantmind.yaml").write_text(project)
    text = content.decode("utf-8", errors="replace")
    try:
        defaults = Project.find(Path(), {})
    except (RecipeProblems, UsageError) as error:
        assert_told_well(getattr(error, "problems", ()), lines_of(text))
        return
    problems = lint(file, PLUGINS, defaults, ENVIRON)
    assert_told_well(problems, lines_of(text))
    assert lint(file, PLUGINS, defaults, ENVIRON) == problems
    sound = not any(problem.severity == "error" for problem in problems)
    for replaced in ((), REPLACED):
        try:
            recipe = load(file, PLUGINS, defaults, ENVIRON, replaced, tested=bool(replaced))
        except RecipeProblems as error:
            assert_told_well(error.problems, lines_of(text))
            if sound:
                assert problems or "${" in text + project
            continue
        except RecipeError:
            continue
        if replaced:
            # What lint and loading are content with can be run.
            for test in recipe.tests:
                prepare(recipe, test, PLUGINS)
            continue
        with contextlib.suppress(RecipeProblems):
            wire(recipe)
        shown = as_yaml(recipe)
        assert not parse(shown.encode(), "shown.yaml").problems
        json.dumps(as_json(recipe))
        # What shows a sound recipe is one, too, but for what cannot be wired.
        again = load(parse(shown.encode(), "shown.yaml").data, PLUGINS, Project(defaults.state), ENVIRON)
        assert again.name == recipe.name


any_yaml = st.lists(
    st.sampled_from([*NASTY, "\n", "\n  ", "\n- ", ": ", ", ", "name", "risk:", "feeds: [", "]", "}", "{"])
    | st.text(max_size=3),
    max_size=25,
).map("".join)


def check_bytes(content):
    document = parse(content, "r.yaml")
    assert_told_well(document.problems[:SHOWN], lines_of(content.decode("utf-8", errors="replace")))
    assert parse(content, "r.yaml").problems == document.problems
    examine(content)


def check_options(component, data):
    """Give each option of a component something that nobody means."""
    model = component.options_model
    raw = {name: data.draw(wrong) for name in model.model_fields if data.draw(st.integers(0, 2))}
    if data.draw(st.booleans()):
        raw[data.draw(st.text(min_size=1, max_size=8))] = 1
    findings = Findings(Document("r.yaml", raw), Interpolation({}))
    try:
        options = validate(model, raw, "at", findings)
    except EnoughError:
        options = None
    assert (options is None) == bool(findings.problems)
    assert_told_well(findings.problems, [""])


odd = st.sampled_from([parse(f"a: {text}".encode(), "r.yaml").data for text in NASTY])
leaf = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["1m", "max", "BTC/USDT:USDT", "tcp://127.0.0.1:5555", "redis://:p@h:1/0", "http://[", "x\0y", "~nobody/x"]
    )
    | odd.map(lambda data: data["a"] if isinstance(data, dict) else None)
)
wrong = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["BTC/USDT:USDT", "a", "volume", "rate"]) | st.text(max_size=4), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.binary(max_size=80) | any_yaml.map(lambda text: text.encode("utf-8", errors="surrogatepass")))
@example(b"a\xc2\x85b: 1: 2")
@_QUICK
def test_any_bytes(content):
    check_bytes(content)


@given(mutated(SEEDS))
@_QUICK
def test_changed_recipes(text):
    examine(text.encode("utf-8", errors="surrogatepass"))


@given(mutated(PROJECTS))
@_QUICK
def test_changed_projects(text):
    examine(RECIPES[0].encode(), text.encode("utf-8", errors="replace").decode())


@pytest.mark.parametrize("component", [each for _, each in COMPONENTS], ids=["-".join(key) for key, _ in COMPONENTS])
@given(data=st.data())
@settings(_QUICK, max_examples=15)
def test_any_options(component, data):
    check_options(component, data)


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestDeep:
    @given(st.binary(max_size=400) | any_yaml.map(lambda text: text.encode("utf-8", errors="surrogatepass")))
    @settings(_DEEP, max_examples=2_000)
    def test_any_bytes(self, content):
        check_bytes(content)

    @given(mutated(SEEDS))
    @settings(_DEEP, max_examples=1_500)
    def test_changed_recipes(self, text):
        examine(text.encode("utf-8", errors="surrogatepass"))

    @given(mutated(PROJECTS))
    @_DEEP
    def test_changed_projects(self, text):
        examine(RECIPES[0].encode(), text.encode("utf-8", errors="replace").decode())

    @given(data=st.data())
    @_DEEP
    def test_any_options(self, data):
        check_options(data.draw(st.sampled_from(COMPONENTS))[1], data)


def test_numbers_that_are_none_are_told():
    assert math.isnan(parse(b"a: .nan", "r.yaml").data["a"])
