import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.reference.marked import MarkedError, holds_marker, parts, rewritten, stale

LINES = st.sampled_from(
    [
        *(
            "",
            " ",
            "text",
            "# heading",
            "| a | b |",
            "<!-- a comment -->",
            "quantmind: hooks",
            "a\x0bb",
            "a\u2028b",
            "\x1c",
        ),
        *(
            "```",
            "```yaml",
            "~~~",
            "    ```",
            "````",
            "    <!-- quantmind: hooks -->",
            "`<!-- quantmind: end -->`",
            "é",
        ),
    ]
) | st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=["Cs"]), max_size=12).filter(
    lambda line: "quantmind" not in line
)
TEXT = st.tuples(st.lists(LINES, max_size=6), st.sampled_from(["\n", "\r\n"])).map(
    lambda given: "".join(f"{line}{given[1]}" for line in given[0])
)
INSIDE = st.lists(LINES.filter(lambda line: "<!--" not in line), max_size=5).map(
    lambda lines: "\n".join(lines).strip("\n")
)


def outside(text):
    """Take fences out: what follows is no block of code."""
    return "".join(line for line in re.findall("[^\n]*\n", text) if not line.strip().startswith(("```", "~~~")))


MARKER, END = "<!-- quantmind: component strategy a -->", "<!-- quantmind: end -->"


@given(before=TEXT.map(outside), old=TEXT, after=TEXT, made=INSIDE, newline=st.sampled_from(["\n", "\r\n"]))
def test_only_the_marked_part_changes_and_a_second_time_nothing(before, old, after, made, newline):
    old = "".join(line for line in re.findall("[^\n]*\n", old) if "<!--" not in line)
    text = f"{before}{MARKER}{newline}{old}{END}{newline}{after}"
    (part,) = parts(text, "a.md")
    written = rewritten(text, {part: made})
    lines = "".join(f"{line}{newline}" for line in ("", *made.split("\n"), ""))
    assert written == f"{before}{MARKER}{newline}{lines}{END}{newline}{after}"
    (again,) = parts(written, "a.md")
    assert rewritten(written, {again: made}) == written
    assert stale(written, {again: made}) == ()
    assert stale(written, {again: f"{made}x"}) == (again,)


def test_parts_are_found_with_their_lines():
    text = f"# A\n\n{MARKER}\nold\n{END}\n<!--quantmind:hooks-->\n   <!-- quantmind: end -->"
    first, second = parts(text, "a.md")
    assert (first.words, first.line, first.start, first.end) == (("component", "strategy", "a"), 3, 3, 4)
    assert (second.words, second.line) == (("hooks",), 6)
    assert rewritten(text, {first: "A", second: "B"}) == (
        f"# A\n\n{MARKER}\n\nA\n\n{END}\n<!--quantmind:hooks-->\n\nB\n\n   <!-- quantmind: end -->"
    )


@pytest.mark.parametrize(("fence", "close"), [("```", "```"), ("```md", "````"), ("~~~~", "~~~~~"), ("  ```", "  ```")])
def test_a_marker_in_a_block_of_code_is_none(fence, close):
    assert parts(f"{fence}\n{MARKER}\n{close}\n", "a.md") == ()
    assert len(parts(f"{fence}\n{MARKER}\n{close}\n{MARKER}\n{END}\n", "a.md")) == 1


def test_a_damaged_part_is_still_one():
    text = f"{MARKER}\n```yaml\nno end of this\n{END}\nafter\n"
    (part,) = parts(text, "a.md")
    assert rewritten(text, {part: "new"}) == f"{MARKER}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (f"a\n{MARKER}\nb\n", ["a.md:2: component strategy a is not ended: write `<!-- quantmind: end -->` below it"]),
        (
            f"{MARKER}\n{MARKER}\n{END}\n",
            ["a.md:1: component strategy a is not ended: write `<!-- quantmind: end -->` before line 2"],
        ),
        (f"{END}\n", ["a.md:1: nothing is begun that this could end: take the line out"]),
        *(
            (f"{line}\n", ["a.md:1: a marker is one line: `<!-- quantmind: component KIND NAME -->`"])
            for line in ("<!-- quantmind: hooks", "<!-- quantmind: -->", "<!-- quantmind: hooks --> text")
        ),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_line(text, problems):
    with pytest.raises(MarkedError) as refusal:
        parts(text, "a.md")
    assert list(refusal.value.lines) == problems


def test_a_text_that_holds_a_marker_is_known():
    assert holds_marker(f"a\n{END}\nb")
    assert not holds_marker("a\n`<!-- quantmind: end -->`\nb")
