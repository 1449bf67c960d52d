import pytest

from quantmind.reference.markdown import code, table, text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("a | b", "a \\| b"),
        ("of <x>, not `<x>`", "of &lt;x>, not `<x>`"),
        ("two\n  lines", "two lines"),
        ("`a|b`", "`a\\|b`"),
    ],
)
def test_text_in_a_cell_stays_in_it(said, written):
    assert text(said) == written


@pytest.mark.parametrize(("said", "written"), [("a", "`a`"), ("a|b", "`a\\|b`"), ("a`b", "`` a`b ``"), ("", "")])
def test_code_in_a_cell_stays_in_it(said, written):
    assert code(said) == written


def test_a_table_has_a_line_for_each_row():
    assert table(("a", "b"), [("1", ""), ("", "2")]) == "| a | b |\n|---|---|\n| 1 | |\n| | 2 |"
