"""Nothing reaches an executor but through the gate."""

from __future__ import annotations

import ast
import copy
import multiprocessing
import pickle
from decimal import Decimal as D
from pathlib import Path

import pytest

from quantmind.events import Submit, codec
from quantmind.events.operations import Numbered
from quantmind.kinds import Executor, NoOptions
from quantmind.trader.gate import Approved, Gate, GateError
from quantmind.trader.orders import Order

ROOT = Path(__file__).parents[2]


def order():
    return Order(1, 1, 1, "qm1-1-1", "BTC/USDT:USDT", "buy", D(1), False, 0, "t1")


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def approved(gate):
    return gate.approve(order())


def test_an_approval_is_worth_its_command_once(gate, approved):
    assert isinstance(gate.spend(approved), Submit)
    with pytest.raises(GateError, match="spent"):
        gate.spend(approved)


def test_it_cannot_be_constructed():
    with pytest.raises(GateError):
        Approved()
    with pytest.raises(GateError):
        Approved(order().submit())


def test_an_empty_one_made_behind_its_back_is_worth_nothing(gate):
    with pytest.raises(GateError):
        gate.spend(object.__new__(Approved))


def test_it_cannot_be_subclassed():
    with pytest.raises(GateError):
        type("Forged", (Approved,), {})


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_it_cannot_be_copied(approved, duplicate):
    with pytest.raises(GateError):
        duplicate(approved)


def test_it_cannot_be_replaced(approved):
    replace = getattr(copy, "replace", lambda value, **changes: value.__replace__(**changes))
    with pytest.raises(GateError):
        replace(approved, _command=None)


def test_it_cannot_be_changed(approved):
    with pytest.raises(GateError):
        approved._command = order().submit()
    with pytest.raises(GateError):
        approved.command = order().submit()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(approved, protocol):
    with pytest.raises(GateError):
        pickle.dumps(approved, protocol)


def test_the_codec_does_not_know_it(approved):
    with pytest.raises(codec.CodecError):
        codec.encode(approved)
    with pytest.raises(codec.CodecError):
        codec.encode(Numbered(1, 1, (approved,)))
    with pytest.raises(codec.CodecError):
        codec.encode(approved.command)


def test_another_gate_does_not_take_it(approved):
    with pytest.raises(GateError):
        Gate().spend(approved)


def _spend_in_child(gate, approved, answers):
    try:
        gate.spend(approved)
        answers.put("spent")
    except GateError as error:
        answers.put(str(error))


def test_another_process_cannot_spend_it(gate, approved):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_spend_in_child, args=(gate, approved, answers))
    child.start()
    assert "process" in answers.get(timeout=10)
    child.join()


def test_an_executor_asks_its_gate(gate, approved):
    class Trusting(Executor[NoOptions]):
        """Performs everything."""

        name = "trusting"
        done = ()

        def submit(self, command):
            self.done += (command,)
            return ()

    executor = Trusting(NoOptions(), ())
    executor.connect(gate)
    executor.perform(approved)
    with pytest.raises(GateError):
        executor.perform(approved)
    with pytest.raises(GateError):
        executor.perform(order().submit())
    assert len(executor.done) == 1


def test_only_the_gate_makes_an_approval():
    """No other file of the project calls `Approved` or makes one by `__new__`."""
    for path in [*(ROOT / "quantmind").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        if path.name == "gate.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                called = node.func
                assert not (isinstance(called, ast.Name) and called.id == "Approved"), path
                assert not (isinstance(called, ast.Attribute) and called.attr == "__new__" and "Approved" in names), (
                    path
                )
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"_issue", "_issued"}, path
