"""Rules about words: that there are some, and that they tell unit, shape and source."""

import ast
import re

from tests.documented.items import Fault
from tests.documented.syntax import functions

UNITS = (
    (
        "time",
        r"(\w+_)?ts|received|start|end|since|until|priced_at|deadline|due|interval|latency|shortest|longest|ns",
        "int",
        r"\bns\b",
    ),
    (
        "price",
        (
            r"(\w+_)?price|bid|ask|mark|(\w+_)?stop|trigger|tick|(\w+_)?distance|entry|best"
            r"|take_profit|atr|upper|middle|lower"
        ),
        "float Decimal",
        r"quote currency|unit of (x|the prices)",
    ),
    ("price", r"open|high|low|close|last", "float", r"quote currency|unit of (x|the prices)"),
    (
        "quantity",
        r"(\w+_)?quantity|(\w+_)?size|step|held|filled|position|budget|wanted",
        "float Decimal",
        r"base currency",
    ),
    ("quantity", r"volume", "float Decimal", r"(base|settlement) currency"),
    (
        "money",
        (
            r"(\w+_)?notional|equity\w*|balance|wallet|fees?|(un)?realised|amount|gross|net|maintenance|initial|cost"
            r"|exposure|turnover|loss|margin|gained|lost|floor|clearing|funding|started_with|backing|available"
        ),
        "float Decimal",
        r"(settlement|quote) currency|part of the notional|all in one unit",
    ),
    (
        "part",
        (
            r"direction|confidence|share|fraction|(\w+_)?rate(_\w+)?|callback|risk|level|drawdown|maker|taker|impact"
            r"|participation|kelly|liquidation_fee|ruin"
        ),
        "float Decimal",
        r"\[-?[01], 1\]|\bparts?\b|probability|between 0 and 1",
    ),
    (
        "ratio",
        r"leverage|cap|multiplier|(\w+_)?ratio|reward_risk",
        "float Decimal",
        r"\btimes\b|\bmultiples?\b|\bover\b|\bparts?\b|\w / \w",
    ),
    (
        "number",
        r"(\w+_)?count|number|seq|update|sequence|history|wins|losses|trades|working|left|rows|epoch|period|window",
        "int",
        r"\bnumber(s|ed)?\b|\bcount(s|ed)?\b|how many",
    ),
)
"""What a name and a type say of the unit, and the words of which one must be there."""

SHAPES = (
    (
        "order",
        re.compile(r"\b(Sequence|Iterable|Iterator|AsyncIterator|list|deque)\[|\btuple\[.*\.\.\.\]"),
        re.compile(r"\bin (\w+ ){0,2}order\b|\border of |\b(any order|ordered|sorted|oldest)\b"),
    ),
    (
        "keys",
        re.compile(r"\b(Mapping|dict)\["),
        re.compile(r"\b(by|of|per) (\w+ ){0,2}(symbol|name|id|type|each|strategy)s?\b|\b(of|per) each\b"),
    ),
    ("items", re.compile(r"\btuple\[(?!.*\.\.\.)"), re.compile(r"\band\b|\(")),
    ("columns", re.compile(r"\b(Lazy|Data)Frame\b"), re.compile(r"\bcolumns?\b|\brows of `")),
)
"""What a type says of the shape, and the words of which one must be there: of each order, key, item and column."""

CITATION = re.compile(r"\b(1[89]|20)\d\d\b|Binance FAQ|https?://|TA-Lib|by definition")
FORMULA = re.compile(r"[\w)\]] (?:=|\+=|\*\*?|/|\+|-|<=) [\w(|-]|\w\([^)]*,[^)]*\)|sqrt\(")

_STOP = frozenset(
    re.findall(r"\w+", "a an the of its it this that is are as and or in on to for return get make gives give")
)
_HOLDERS = {"Struct", "Options", "BaseModel", "Protocol", "StrEnum", "Enum", "NamedTuple"}


def words(text):
    return [word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower())]


def said(item):
    """Return all that is said of something, on one line."""
    return " ".join(f"{item.docs} {item.around}".split())


def undocumented(items):
    """Find what has no docs, or docs that say no more than its name."""
    for item in items:
        if item.place.endswith(")"):
            continue
        name = set(words(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", item.name)))
        if not item.docs.strip():
            yield Fault(item.place, "has no docstring")
        elif not [word for word in words(item.docs) if word not in name and word not in _STOP]:
            yield Fault(item.place, "says no more than its name:", item.docs)


def unitless(items):
    """Find figures whose unit is not told."""
    for item in items:
        type_ = item.type.replace(" | None", "").strip("'\"")
        for unit, name, types, told in UNITS:
            if type_ in types.split() and re.fullmatch(name, item.name):
                if not re.search(told, said(item), re.IGNORECASE):
                    yield Fault(item.place, f"does not tell its unit ({unit}):", told)
                break


def shapeless(items):
    """Find what holds many things, and does not say in which order, by which key, in which columns."""
    for item in items:
        for shape, type_, told in SHAPES:
            if type_.search(item.type) and not told.search(said(item)):
                yield Fault(item.place, f"does not tell its {shape}:", item.type)


def sourceless(items, module, formulas):
    """Find formulas that are not written, or of which nobody knows where they are from."""
    for item in items:
        top = item.place.removeprefix(f"{module}.")
        if "." in top or "(" in top or not ({module, item.place} & formulas):
            continue
        if not FORMULA.search(item.docs):
            yield Fault(item.place, "does not write its formula")
        if not CITATION.search(item.docs):
            yield Fault(item.place, "does not say where its formula is from")


def holds_figures_only(cls):
    """Say whether a class is a Struct without methods: a result, not a formula."""
    return not functions(cls.body) and any(ast.unparse(base).split(".")[-1] in _HOLDERS for base in cls.bases)
