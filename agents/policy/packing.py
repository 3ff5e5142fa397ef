"""Numbers as short text. A gate's row is read and written with each step: as numbers of JSON they would take most of that time."""

from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable


def packed(numbers: Iterable[float]) -> str:
    return b64encode(array("d", numbers).tobytes()).decode()


def unpacked(text: str | Iterable[float]) -> tuple[float, ...]:
    """Of a version that did not pack them: the numbers themselves."""
    return tuple(array("d", b64decode(text)) if isinstance(text, str) else text)
