import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.recipe.problems import LONGEST, SHOWN, Mark, Problem, brief, holders, in_order, join, one_line, shortened


def problem(line, message="is wrong", severity="error"):
    return Problem(Mark("r.yaml", line, 1), "", message, severity)


def test_problems_are_sorted_and_said_once():
    assert in_order([problem(3), problem(1), problem(3)]) == (problem(1), problem(3))


def test_of_very_many_the_first_are_kept_and_the_others_counted():
    *shown, rest = in_order(problem(line) for line in range(250, 0, -1))
    assert [each.mark.line for each in shown] == list(range(1, SHOWN + 1))
    assert str(rest) == f"r.yaml: and {250 - SHOWN} other problems: mend these first"


def test_errors_go_before_warnings_where_there_are_too_many():
    *shown, rest = in_order([*(problem(line, severity="warning") for line in range(200)), problem(999)])
    assert shown == [problem(999)]
    assert rest.severity == "error"
    assert "other problems" in rest.message


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("", []),
        ("a", [""]),
        ("a.b[2].c", ["a.b[2]", "a.b", "a", ""]),
        ("a[", ["a", ""]),
        ("a..b", ["a.", "a", ""]),
    ],
)
def test_what_holds_a_value(path, above):
    assert list(holders(path)) == above


@given(st.lists(st.text(min_size=1) | st.integers(0, 99), max_size=8))
def test_the_holders_of_any_path_end(parts):
    path = ""
    for part in parts:
        path = join(path, part)
    found = list(holders(path))
    assert len(set(found)) == len(found) <= len(path)
    assert (found or [path])[-1] == ""


@given(st.text(), st.text(), st.integers(4, 60))
def test_a_problem_is_one_short_line_whatever_is_in_it(path, message, most):
    told = str(Problem(Mark("r.yaml", 1, 1), path * 50, message * 50))
    assert told.isprintable()
    assert brief(message, most).isprintable()
    assert len(shortened(message * 9, most)) <= most
    assert len(shortened(message * 900, LONGEST)) <= LONGEST
    assert one_line(told) == told
