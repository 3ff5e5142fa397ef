"""What may go wrong: with a request that was let through, and with a setting."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What may go wrong with a request that the edge let through."""

    HTTP500 = "http500"
    HTTP502 = "http502"
    HTTP503 = "http503"
    HTTP504 = "http504"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    BROKEN = "broken"
    MIDSTREAM = "midstream"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    BADJSON = "badjson"
    INVALID = "invalid"


class BadSetting(ValueError):
    """A setting that can't be used; the text names the field and says what is wanted."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name}: {wanted}")
        self.field, self.wanted = name, wanted

    def within(self, name: str) -> BadSetting:
        """The same complaint about a field that lies inside of `name`."""
        return BadSetting(f"{name}.{self.field}", self.wanted)
