"""Requirements, against what the packaging library says of them."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement as Oracle
from packaging.specifiers import SpecifierSet

from quantmind.doctor.requirement import Requirement, fits

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
pairs = st.lists(st.integers(0, 12), min_size=2, max_size=4).map(lambda parts: ".".join(map(str, parts)))
clauses = st.one_of(
    st.tuples(st.sampled_from([">=", "<=", "<", ">", "==", "!="]), numbers).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), numbers).map(lambda pair: f"{pair[0]}{pair[1]}.*"),
    st.tuples(st.just("~="), pairs).map("".join),
)


@given(numbers, st.lists(clauses, max_size=3).map(",".join))
def test_a_version_fits_as_installers_say(version, versions):
    assert fits(version, versions) == SpecifierSet(versions).contains(version)


@pytest.mark.parametrize(
    ("version", "versions", "expected"),
    [
        ("3.11.7", "<3.14,>=3.11", True),
        ("3.14.0", "<3.14,>=3.11", False),
        ("4.5.90", ">=4.5.90,<5", True),
        ("5", ">=4.5.90,<5", False),
        ("2.0.0rc1", ">=2", True),
        ("unknown", ">=2", True),
        ("1", "", True),
    ],
)
def test_versions_that_occur(version, versions, expected):
    assert fits(version, versions) is expected


@pytest.mark.parametrize(
    "line",
    [
        "click>=8.2",
        "nats-py[nkeys]>=2.9",
        "ccxt<5,>=4.5.90",
        "uvloop>=0.21; sys_platform != 'win32'",
        'pip>=23.1; extra == "dev"',
        "TA-Lib >= 0.6.4 ; extra == 'dev'",
        "torch (>=2) ; extra == 'ml' and sys_platform == 'linux'",
        "plain",
    ],
)
def test_a_line_is_read_as_installers_read_it(line):
    oracle, mine = Oracle(line), Requirement.parse(line)
    assert (mine.name, SpecifierSet(mine.versions)) == (oracle.name, oracle.specifier)
    environment = {"extra": mine.extra, "sys_platform": sys.platform}
    assert mine.here == (oracle.marker is None or oracle.marker.evaluate(environment))


@given(st.text(max_size=60))
def test_no_line_is_too_strange(line):
    requirement = Requirement.parse(line)
    assert fits("1.0", requirement.versions) in {True, False}
