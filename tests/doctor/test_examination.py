import threading

from quantmind.doctor.examination import examine
from quantmind.doctor.finding import failed, ok

LONG = 60.0


def test_findings_come_in_the_order_of_the_checks():
    later = threading.Event()

    def first():
        later.wait(LONG)
        yield ok("a", "one")
        yield ok("a", "two")

    def second():
        yield ok("b", "three")
        later.set()

    assert [finding.words for finding in examine({"a": first, "b": second}, LONG)] == ["one", "two", "three"]


def test_one_that_raises_has_failed_and_the_others_go_on():
    def broken():
        yield ok("a", "so far")
        raise ZeroDivisionError("of\nno use")

    def ended():
        raise SystemExit(3)

    found = examine({"a": broken, "b": ended, "c": lambda: [ok("c", "well")]}, LONG)
    assert found == [
        ok("a", "so far"),
        failed("a", "cannot be looked at: ZeroDivisionError: of no use"),
        failed("b", "cannot be looked at: SystemExit: 3"),
        ok("c", "well"),
    ]


def test_one_that_hangs_is_not_waited_for():
    released = threading.Event()

    def hangs():
        yield ok("a", "so far")
        released.wait(LONG)

    try:
        found = examine({"a": hangs, "b": lambda: [ok("b", "well")]}, 0.5)
    finally:
        released.set()
    assert found == [ok("a", "so far"), failed("a", "gave no answer in 0.5 s", "see what it hangs on"), ok("b", "well")]
