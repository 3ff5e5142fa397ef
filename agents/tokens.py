"""How many tokens a text has, rather too many than too few: models count differently, and no tokenizer is at hand in a sandbox."""

from __future__ import annotations

import math

# Tokenizers make a token of about four characters of English prose and three of labels and JSON, but of each figure, and of each
# character of some scripts.
CHARACTERS_PER_TOKEN = 3.0
_FIGURES = str.maketrans("", "", "0123456789")


def tokens(text: str) -> int:
    """The estimate."""
    plain = sum(map(str.isascii, text)) if not text.isascii() else len(text)
    figures = len(text) - len(text.translate(_FIGURES))
    return math.ceil((plain - figures) / CHARACTERS_PER_TOKEN) + figures + len(text) - plain


def fitted(text: str, most: int) -> str:
    """The text in at most so many tokens, an ellipsis for the rest."""
    if tokens(text) <= most:
        return text
    low, high = 0, min(len(text), int(most * CHARACTERS_PER_TOKEN))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) < most else (low, middle - 1)
    return f"{text[:low]}…"
