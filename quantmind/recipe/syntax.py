"""Syntax: what is wrong with text that is no YAML, and what to do about it."""

from __future__ import annotations

import re

import yaml

_ADVICE = (
    (
        "mapping values are not allowed",
        "text with a colon and a space in it must be in quotes, and keys of one level begin in the same column",
    ),
    ("did not find expected ',' or ']'", "close the list with ], or write a comma between its entries"),
    ("did not find expected ',' or '}'", "close the mapping with }, or write a comma between its entries"),
    ("found character that cannot start", "text that begins with this character must be in quotes"),
    ("found unexpected end of stream", "close the quotes"),
    ("could not find expected ':'", "write a colon and a space after the key"),
    ("did not find expected key", "keys of one level begin in the same column, and a text in quotes ends with them"),
    ("did not find expected '-' indicator", "entries of one list begin in the same column, each with -"),
    ("expected alphabetic or numeric", "text that begins with & or * must be in quotes"),
    ("expected alphabetical or numeric", "text that begins with & or * must be in quotes"),
    ("did not find expected alphabetic", "text that begins with & or * must be in quotes"),
    (
        "found unknown escape character",
        "in double quotes a backslash begins an escape: double it, or use single quotes",
    ),
    ("block sequence entries are not allowed", "begin the list in a new line, with - before each entry"),
    ("block mapping", "begin the mapping in a new line"),
    ("did not find expected node content", "write a value here, or put text that begins like this in quotes"),
    ("exceeded maximum nesting depth", "write it flatter"),
    ("unexpected ':'", "write a space after the colon, or put the text in quotes"),
    ("comment or line break", "after | or > begin a new line"),
    ("escape code", "in double quotes a backslash begins an escape: double it, or use single quotes"),
    ("hexdecimal number", "in double quotes a backslash begins an escape: double it, or use single quotes"),
    (" tag", "tags are not supported: text that begins with ! must be in quotes"),
    ("did not find expected <document start>", "a file holds one mapping, and nothing before or after it"),
    ("invalid indentation", "indent with the same spaces all through"),
    ("incompatible YAML document", "leave the line with % out"),
    ("unknown directive", "leave the line with % out"),
)
"""Words of the parser, and what to do."""

_INDENT = re.compile(r"[ \t]*")
_REFERENCE = re.compile(r"(?<![\"'$\w])\$\{[^{}\"']+\}")
"""A variable that is not in quotes."""


def what_to_do(error: yaml.MarkedYAMLError, line: str) -> str:
    """Say what is wrong in words of the parser, where that begins, and what to do; `line` is the one that has it."""
    indent = _INDENT.match(line)
    if indent is not None and "\t" in indent[0]:
        return "is indented with a tab: use spaces"
    text = error.problem or error.context or "it cannot be parsed"
    if error.problem and error.context and "next token" not in error.context:
        began = error.context_mark
        since = f" that begins in line {began.line + 1}" if began is not None else ""
        text = f"{error.problem}, {error.context}{since}"
    reference = _REFERENCE.search(line)
    if "did not find expected ','" in text and reference is not None:
        brackets = "[ ]" if "or ']'" in text else "{ }"
        return f'is no YAML: {text}: put "{reference[0]}" in quotes within {brackets}'
    advice = next((f": {words}" for known, words in _ADVICE if known in text), "")
    return f"is no YAML: {text}{advice}"
