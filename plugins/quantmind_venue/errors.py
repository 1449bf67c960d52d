"""What the venue answers when it refuses: a status, a code and a message, as Binance's USD-M futures give them."""

from __future__ import annotations


class VenueError(Exception):
    """A refusal that is sent to the client."""

    def __init__(self, code: int, message: str, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, object]:
        """The JSON body of the answer."""
        return {"code": self.code, "msg": self.message}
