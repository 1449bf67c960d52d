import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.recipe.document import parse
from quantmind.recipe.walk import MAX_DEPTH, MAX_KEY, MAX_NODES


def problems(text):
    content = text if isinstance(text, bytes) else text.encode()
    return [str(problem) for problem in parse(content, "r.yaml").problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("1e6", 1e6),
        ("1_000", "1_000"),
        ("010", 10),
        ("0x1F", "0x1F"),
        ("2026-01-02", "2026-01-02"),
        ("=", "="),
        ("~", None),
        ("null", None),
        ("-7", -7),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("9" * 5000, float("inf")),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    read = parse(f"a: {text}".encode(), "r.yaml").data["a"]
    assert read == value
    assert isinstance(read, type(value))


def test_a_float_remembers_digits_that_it_cannot_hold():
    read = parse(b"a: 0.1000000000000000000001", "r.yaml").data["a"]
    assert read == 0.1
    assert Decimal(str(read)) == Decimal("0.1000000000000000000001")


def test_places_count_from_one_and_follow_paths():
    document = parse("a:\n  - b: 1\n    ü: {c: 2}\n".encode(), "r.yaml")
    assert document.data == {"a": [{"b": 1, "ü": {"c": 2}}]}
    assert str(document.mark("a[0].b")) == "r.yaml:2:8"
    assert str(document.mark("a[0].ü.c")) == "r.yaml:3:12"
    assert str(document.mark("a[0].ü.c", key=True)) == "r.yaml:3:9"
    assert str(document.mark("a[0].ü.missing.deeper[3]")) == "r.yaml:3:8"
    assert str(document.mark("nothing")) == "r.yaml:1:1"


def test_all_duplicate_keys_are_told_with_both_places():
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "r.yaml:2:11: b.c: is given a second time, first in line 2: leave one out",
        "r.yaml:3:1: a: is given a second time, first in line 1: leave one out",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1, 2", "r.yaml:2:1: is no YAML: did not find expected ',' or ']'"),
        ("a:\n\t- b", "r.yaml:2:1: is indented with a tab: use spaces"),
        ("a: b: c", "r.yaml:1:5: is no YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: @x", "r.yaml:2:4: is no YAML: found character that cannot start any token"),
        ("a: *nope", "r.yaml:1:4: there is no anchor &nope above"),
        ("a: &x [*x]", "r.yaml:1:8: *x holds itself"),
        ("a: &x 1\nb: &x 2", "r.yaml:2:4: defines the anchor &x a second time"),
        ("a: !!str 5", "r.yaml:1:4: a: has the tag !!str: tags are not supported"),
        ("a: !!python/object/apply:os.system [ls]", "r.yaml:1:4: a: has the tag !!python/object/apply:os.system"),
        (
            "a: &x {b: 1}\nc:\n  <<: *x",
            "r.yaml:3:3: c.<<: merge keys are not supported: write the values out",
        ),
        ("a: 1\n--- \nb: 2", "r.yaml:2:1: a second document begins here"),
        ("{[1]: 2}", "r.yaml:1:2: has a key that is not plain text"),
        ("a: 1\nb: \x07", "r.yaml:2:4: holds a character that YAML forbids"),
        (b"a: 1\nb: \xff", "r.yaml:2:4: is not UTF-8: byte 0xff"),
        (b"a: " + b"x" * (1 << 18), "r.yaml: is larger than 256 KiB"),
        ("[" * 200_000, "nest"),
        ("[" * 100, f"r.yaml:1:{MAX_DEPTH + 2}: is nested more than {MAX_DEPTH} deep"),
        ("[" + "1," * MAX_NODES + "]", f"holds more than {MAX_NODES} values"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, told):
    found = problems(text)
    assert len(found) == 1
    assert told in found[0]


def test_an_alias_bomb_is_refused_before_it_expands():
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert f"holds more than {MAX_NODES} values" in problems("l0: &l0 [x]\n" + levels)[0]


def test_an_alias_is_read_as_what_it_stands_for():
    document = parse(b"a: &x {b: [1, 2]}\nc: *x\n", "r.yaml")
    assert document.data["c"] == {"b": [1, 2]}
    assert document.problems == ()
    assert str(document.mark("c.b[1]")) == "r.yaml:1:15"


def test_an_empty_document_has_no_data_and_no_problems():
    assert parse(b"# nothing\n", "r.yaml").data is None
    assert problems("") == []


text = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "))
keys = text.filter(lambda key: key.strip() and len(key) <= MAX_KEY)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_json_is_read_as_itself(data):
    document = parse(json.dumps(data, ensure_ascii=False).encode(), "r.yaml")
    assert document.problems == ()
    assert document.data == data


@given(st.binary(max_size=60))
def test_no_bytes_raise(content):
    document = parse(content, "r.yaml")
    assert document.data is None or not any("is no YAML" in str(problem) for problem in document.problems)
