from __future__ import annotations

import random
import tracemalloc
from decimal import Decimal
from typing import Any, get_args

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from quantmind.errors import QuantMindError
from quantmind.events import (
    Cancel,
    Done,
    Ended,
    Executed,
    Failed,
    Mark,
    Numbered,
    Presence,
    Query,
    Quote,
    Share,
    Submit,
    Target,
    Upto,
    WakeAt,
)
from quantmind.events.codec import (
    FRAME_VERSION,
    MAX_DIGITS,
    MAX_EXPONENT,
    MAX_FRAME,
    MAX_ITEMS,
    CodecError,
    Frame,
    Message,
    decode,
    decode_frame,
    encode,
    encode_frame,
)
from quantmind.trader.gate import Approved

SYMBOL = "BTC/USDT:USDT"
MEGABYTE = 1 << 20
TYPES = get_args(Message)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda value: abs(value.adjusted()) <= MAX_EXPONENT and len(str(value)) <= MAX_DIGITS
)
QUOTE = Quote(SYMBOL, 1_718_000_000_123_456_789, 67_123.4, 67_123.5, 1.25, 0.5)
SUBMIT = Submit("o-1", SYMBOL, "buy", Decimal(1), reduce_only=False, ts=1, after=1)
TARGET = Target(SYMBOL, Decimal("0.5"), (Share("momentum", Decimal("0.5")),), 1, "t-1", "s-1")
EXECUTED = Executed("o-1", 7, "x-1", Decimal("67123.40"), Decimal("0.010"), Decimal("0.26849360"))
FRAME = Frame(
    FRAME_VERSION,
    "btc",
    "feed",
    "start-1",
    "market",
    7,
    (Numbered(1, 40, (QUOTE,) * 3), Upto(42, (), (TARGET,)), EXECUTED),
)


def values(described: inspect.Type) -> st.SearchStrategy[Any]:
    """Return a strategy for what an event's field may hold, whatever fields are added later."""
    match described:
        case inspect.StructType():
            fields = [values(field.type) for field in described.fields]
            return st.tuples(*fields).map(lambda arguments: described.cls(*arguments))
        case inspect.UnionType():
            return st.one_of([values(part) for part in described.types])
        case inspect.VarTupleType():
            return st.lists(values(described.item_type), max_size=3).map(tuple)
        case inspect.TupleType():
            return st.tuples(*[values(item) for item in described.item_types])
        case inspect.LiteralType() | inspect.EnumType():
            return st.sampled_from(described.values if isinstance(described, inspect.LiteralType) else [*described.cls])
    plain: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
        inspect.StrType: st.text(max_size=40),
        inspect.IntType: st.integers(-(2**63), 2**64 - 1),
        inspect.FloatType: st.floats(allow_nan=False),
        inspect.BoolType: st.booleans(),
        inspect.DecimalType: DECIMALS,
        inspect.NoneType: st.none(),
    }
    return plain[type(described)]


MESSAGES = st.one_of([values(inspect.type_info(kind)) for kind in TYPES])


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_message_comes_back_and_its_bytes_are_those_of_msgspec(kind):
    oracle = msgspec.msgpack.Encoder(decimal_format="string")

    @given(values(inspect.type_info(kind)))
    def check(message):
        data = encode(message)
        assert data == oracle.encode(message)
        again = decode(data)
        assert type(again) is kind
        assert again == message
        assert encode(again) == data

    check()


@given(st.lists(MESSAGES, max_size=4), st.text(max_size=20), st.integers(0, 2**63))
def test_frames_come_back(messages, name, sequence):
    frame = Frame(FRAME_VERSION, name, "feed", "start-1", "market", sequence, tuple(messages))
    data = encode_frame(frame)
    assert decode_frame(data) == frame
    assert data == msgspec.msgpack.Encoder(decimal_format="string").encode(frame)


def test_a_decimal_keeps_its_trailing_zeros():
    again = decode(encode(EXECUTED))
    assert isinstance(again, Executed)
    assert [str(again.price), str(again.quantity), str(again.fee)] == ["67123.40", "0.010", "0.26849360"]


@pytest.mark.parametrize(
    "stranger",
    [
        SUBMIT,
        Cancel("o-1", SYMBOL, 1),
        Query("o-1", SYMBOL),
        WakeAt(1),
        Share("momentum", Decimal(1)),
        object.__new__(Approved),
        FRAME,
        None,
        ("quote", SYMBOL, 1, 1.0, 1.0, 1.0, 1.0, 0),
    ],
    ids=lambda stranger: type(stranger).__name__,
)
def test_what_does_not_belong_on_a_bus_has_no_bytes(stranger):
    with pytest.raises(CodecError, match=type(stranger).__name__):
        encode(stranger)
    nests = [
        Numbered(1, 1, (stranger,)),
        Done(1, (stranger,)),
        Upto(1, (), (stranger,)),
        Target(SYMBOL, Decimal(1), (stranger,), 1, "t-1", "") if type(stranger) is not Share else stranger,
    ]
    for message in nests:
        with pytest.raises(CodecError):
            encode(message)
    with pytest.raises(CodecError):
        encode_frame(Frame(FRAME_VERSION, "p", "feed", "s", "market", 1, (stranger,)))


@pytest.mark.parametrize("stranger", [SUBMIT, object.__new__(Approved)], ids=["Submit", "Approved"])
def test_nor_inside_a_plain_field(stranger):
    for message in (Presence("feed", (stranger,), "run"), Ended(stranger), Failed("feed", stranger)):
        with pytest.raises(CodecError):
            encode(message)


@pytest.mark.parametrize("tag", ["submit", "cancel", "query", "wake_at", "approved", "Quote", "", 7, None, ["quote"]])
def test_an_unknown_type_is_refused_and_named(tag):
    data = msgpack.packb([tag, SYMBOL, 1])
    with pytest.raises(CodecError, match="no message of the bus") as caught:
        decode(data)
    if isinstance(tag, str):
        assert repr(tag) in str(caught.value)


@pytest.mark.parametrize("figure", ["NaN", "sNaN", "Infinity", "-inf", "1E+1000", "1E-1000", "9" * 200])
def test_a_decimal_must_be_finite_and_of_sane_length(figure):
    with pytest.raises(CodecError, match="Decimal"):
        encode(msgspec.structs.replace(EXECUTED, price=Decimal(figure)))
    raw = msgspec.msgpack.decode(encode(EXECUTED))
    raw[4] = figure
    with pytest.raises(CodecError, match="Decimal"):
        decode(msgpack.packb(raw))
    nested = msgpack.packb(["upto", 1, [], [["target", SYMBOL, "1", [["momentum", figure]], 1, "t", "s"]], []])
    with pytest.raises(CodecError, match="Decimal"):
        decode(nested)
    with pytest.raises(CodecError, match="Decimal"):
        decode_frame(msgpack.packb([FRAME_VERSION, "p", "feed", "s", "market", 1, [raw]]))


@pytest.mark.parametrize("figure", [1, 0.1, True, "01", "1_000", " 1", "1e3", "\N{ARABIC-INDIC DIGIT ONE}", None])
def test_a_decimal_is_a_plain_string(figure):
    raw = msgspec.msgpack.decode(encode(EXECUTED))
    raw[4] = figure
    with pytest.raises(CodecError):
        decode(msgpack.packb(raw))


def test_a_number_where_a_decimal_belongs_is_not_written():
    with pytest.raises(CodecError, match="expected a Decimal, was float"):
        encode(msgspec.structs.replace(EXECUTED, price=1.5))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x00",
        b"\x80",
        b"\x90",
        b"\xc4\x00",
        b"\xc7\x00\x05",
        b"\xd6\xff\x00\x00\x00\x01",
        b"\xa5abc",
        b"\x92\xa4mark\xa1\xff",
        b"garbage",
        encode(QUOTE) + b"\x00",
        encode(QUOTE)[:-1],
        msgpack.packb(["quote", SYMBOL, "1", 1.0, 1.0, 1.0, 1.0, 0]),
        msgpack.packb(["quote", SYMBOL, 1, "1.0", 1.0, 1.0, 1.0, 0]),
        msgpack.packb(["quote", SYMBOL.encode(), 1, 1.0, 1.0, 1.0, 1.0, 0]),
        msgpack.packb(["quote", SYMBOL, 1, 1.0]),
        msgpack.packb(["numbered", 1, 1, [["submit", 1]]]),
        msgpack.packb(["done", 1, [msgspec.msgpack.decode(encode(QUOTE))]]),
        msgpack.packb({"type": "ended", "seq": 1}),
    ],
)
def test_garbage_is_refused_in_one_line(data):
    for read in (decode, decode_frame):
        with pytest.raises(CodecError) as caught:
            read(data)
        assert str(caught.value)
        assert "\n" not in str(caught.value)
    assert issubclass(CodecError, QuantMindError)


@pytest.mark.parametrize("message", [Ended(2**64), Ended(-(2**63) - 1), Failed("feed", "\ud800"), Done(1, None)])
def test_what_messagepack_cannot_hold_is_refused(message):
    with pytest.raises(CodecError, match=type(message).__name__):
        encode(message)


def test_too_much_is_refused_on_both_sides():
    with pytest.raises(CodecError, match=str(MAX_FRAME)):
        encode(Failed("feed", "x" * MAX_FRAME))
    with pytest.raises(CodecError, match=str(MAX_FRAME)):
        decode(b"\x00" * (MAX_FRAME + 1))
    mark = Mark(SYMBOL, 1, 1.0)
    most = Numbered(1, 1, (mark,) * MAX_ITEMS)
    assert decode(encode(most)) == most
    with pytest.raises(CodecError, match=str(MAX_ITEMS)):
        encode(Numbered(1, 1, (mark,) * (MAX_ITEMS + 1)))
    with pytest.raises(CodecError, match=str(MAX_ITEMS)):
        decode(msgspec.msgpack.encode(Numbered(1, 1, (mark,) * (MAX_ITEMS + 1))))


def test_another_version_is_named():
    data = encode_frame(msgspec.structs.replace(FRAME, version=FRAME_VERSION + 8))
    with pytest.raises(CodecError, match=f"version {FRAME_VERSION + 8}, this program reads {FRAME_VERSION}"):
        decode_frame(data)
    later = msgpack.packb([FRAME_VERSION + 1, {"another": "layout"}])
    with pytest.raises(CodecError):
        decode_frame(later)


def read_or_refuse(data: bytes) -> None:
    for read in (decode, decode_frame):
        try:
            read(data)
        except CodecError as error:
            assert "\n" not in str(error)  # noqa: PT017 - not raising is right as well


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(data):
    read_or_refuse(data)


@given(
    st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(), st.lists),
    st.data(),
)
def test_random_structures_raise_nothing_else(structure, data):
    tag = data.draw(st.sampled_from(sorted(kind.__struct_config__.tag for kind in TYPES)))
    tail = structure if isinstance(structure, list) else [structure]
    read_or_refuse(msgpack.packb([tag, *tail]))
    read_or_refuse(msgpack.packb([FRAME_VERSION, "p", "feed", "s", 1, [[tag, *tail]]]))


def test_mutated_frames_raise_nothing_else():
    generator = random.Random(7)
    whole = [encode_frame(FRAME), encode(EXECUTED), encode(QUOTE)]
    for _ in range(20_000):
        data = bytearray(generator.choice(whole))
        for _ in range(generator.randint(1, 3)):
            position = generator.randrange(len(data))
            match generator.randrange(4):
                case 0:
                    data[position] = generator.randrange(256)
                case 1:
                    del data[position : position + generator.randint(1, 9)]
                case 2:
                    data[position:position] = generator.randbytes(generator.randint(1, 9))
                case _:
                    data[position] ^= 1 << generator.randrange(8)
            data = data or bytearray(1)
        read_or_refuse(bytes(data))


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdd\xff\xff\xff\xff" * 2_000,
        (b"\xdd" + MAX_ITEMS.to_bytes(4, "big")) * 2_000 + bytes(MAX_ITEMS),
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * MEGABYTE,
        (b"\xdc\xff\xff" + b"\x90" * 65_535) * 16,
        b"\xdc\x00\x20" + (b"\xdc\x40\x00" + b"\x91\xc0" * 16_384) * 32,
    ],
    ids=["headers", "plausible headers", "text", "bytes", "map", "depth", "empty arrays", "small arrays"],
)
def test_a_bomb_takes_little_memory(bomb):
    tracemalloc.start()
    try:
        read_or_refuse(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * MEGABYTE
