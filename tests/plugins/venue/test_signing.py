"""Signatures against the venue's own worked examples, and what is said of those that are not right."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote, urlencode

import pytest

from quantmind_venue.api.signing import Signing, parameters, signed_text
from quantmind_venue.clock import Clock
from quantmind_venue.errors import VenueError

NOW = 1_591_702_613_943
KEY, SECRET = "key", "secret"


class Still(Clock):
    def __init__(self, now=NOW):
        super().__init__(now * 1_000_000, "virtual")

    def accepts(self, timestamp, window):
        # Without the wall clock, which a virtual one takes as well.
        now = self.now()
        if timestamp < now + 1000 and now - timestamp <= window:
            return "yes"
        return "early" if timestamp >= now + 1000 else "late"


@pytest.fixture
def vectors(data):
    path = data / "binance_usdm_fixtures" / "vectors.json"
    return json.loads(path.read_text())["hmac_sha256"]


@pytest.fixture
def signing():
    return Signing(KEY, SECRET, Still())


def sign(text, secret=SECRET):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def code(call, *arguments):
    with pytest.raises(VenueError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.status


class TestVectors:
    def test_every_signature_is_reproduced(self, vectors):
        for vector in vectors:
            signing = Signing(KEY, vector["secret"], Still())
            assert signing.signature(vector["payload"].encode()) == vector["signature"], vector["src"]

    def test_it_makes_no_difference_where_the_parameters_are(self, vectors):
        """In the query, in the body, or in both without an & between: the venue's examples 1 to 3."""
        payload, signature = vectors[0]["payload"], vectors[0]["signature"]
        signed = f"{payload}&signature={signature}"
        signing = Signing(KEY, vectors[0]["secret"], Still())
        expected = {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": "1",
            "price": "9000",
            "timeInForce": "GTC",
        }
        assert signing.checked(KEY, signed.encode(), b"") == expected
        assert signing.checked(KEY, b"", signed.encode()) == expected
        assert signing.checked(KEY, payload.encode(), f"signature={signature}".encode()) == expected
        mixed = vectors[1]
        query, body = mixed["payload"].split("GTC")
        text = signed_text(f"{query}GTC".encode(), f"{body}&signature=x".encode())
        assert text.decode() == mixed["payload"]

    def test_escaped_values_are_signed_as_they_were_sent(self, vectors):
        vector = vectors[3]
        signing = Signing(KEY, vector["secret"], Still(1_499_827_319_559))
        read = signing.checked(KEY, f"{vector['payload']}&signature={vector['signature']}".encode(), b"")
        assert read["symbol"] == "１２３４５６"  # noqa: RUF001 - the full-width digits of the venue's example


class TestRefusals:
    def good(self, **more):
        text = urlencode({"symbol": "BTCUSDT", "timestamp": NOW} | more)
        return f"{text}&signature={sign(text)}".encode()

    def test_a_good_request_is_read_without_what_signs_it(self, signing):
        assert signing.checked(KEY, self.good(recvWindow=5000), b"") == {"symbol": "BTCUSDT"}

    def test_keys(self, signing):
        assert code(signing.checked, None, self.good(), b"") == (-2014, 401)
        assert code(signing.checked, "", self.good(), b"") == (-2014, 401)
        assert code(signing.checked, "other", self.good(), b"") == (-2015, 401)

    def test_signatures(self, signing):
        assert code(signing.checked, KEY, b"symbol=A&timestamp=%d" % NOW, b"") == (-1102, 400)
        assert code(signing.checked, KEY, self.good() + b"0", b"") == (-1022, 400)
        assert code(signing.checked, KEY, self.good().replace(b"BTC", b"ETH"), b"") == (-1022, 400)
        assert code(signing.checked, KEY, self.good(), b"side=BUY") == (-1022, 400)

    def test_timestamps(self, signing):
        text = "symbol=BTCUSDT"
        assert code(signing.checked, KEY, f"{text}&signature={sign(text)}".encode(), b"") == (-1102, 400)
        assert code(signing.checked, KEY, self.good(timestamp="abc"), b"") == (-1100, 400)
        assert code(signing.checked, KEY, self.good(recvWindow=60_001), b"") == (-1131, 400)
        assert code(signing.checked, KEY, self.good(recvWindow="x"), b"") == (-1100, 400)

    @pytest.mark.parametrize(
        ("offset", "window", "good"),
        [
            (0, 5000, True),
            (999, 5000, True),
            (1000, 5000, False),
            (-5000, 5000, True),
            (-5001, 5000, False),
            (-5001, 10_000, True),
            (-60_000, 60_000, True),
        ],
    )
    def test_the_window(self, signing, offset, window, good):
        request = self.good(timestamp=NOW + offset, recvWindow=window)
        if good:
            signing.checked(KEY, request, b"")
        else:
            assert code(signing.checked, KEY, request, b"") == (-1021, 400)

    def test_a_parameter_twice(self):
        assert code(parameters, b"a=1&a=2") == (-1101, 400)
        assert code(parameters, b"a=1", b"a=2") == (-1101, 400)


class TestMessages:
    def signed(self, escape=False, **params):
        params = {"apiKey": KEY, "timestamp": NOW} | params
        text = "&".join(
            f"{name}={quote(str(params[name]), safe='~') if escape else params[name]}" for name in sorted(params)
        )
        return params | {"signature": sign(text)}

    def test_they_are_signed_in_the_order_of_names(self, signing):
        read = signing.checked_message(self.signed(symbol="BTCUSDT", price=1.5, side="BUY"))
        assert read == {"symbol": "BTCUSDT", "price": "1.5", "side": "BUY"}

    def test_escaped_or_not(self, signing):
        for escape in (True, False):
            read = signing.checked_message(self.signed(escape=escape, newClientOrderId="a:b/c"))
            assert read == {"newClientOrderId": "a:b/c"}

    def test_refusals(self, signing):
        assert code(signing.checked_message, {"timestamp": NOW}) == (-1102, 400)
        assert code(signing.checked_message, {"apiKey": "x", "timestamp": NOW}) == (-2015, 401)
        assert code(signing.checked_message, {"apiKey": KEY, "timestamp": NOW}) == (-1102, 400)
        assert code(signing.checked_message, self.signed() | {"signature": "0" * 64}) == (-1022, 400)
        assert code(signing.checked_message, self.signed(timestamp=NOW - 6000)) == (-1021, 400)
