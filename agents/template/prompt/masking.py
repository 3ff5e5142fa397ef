"""A prompt whose quoted values are hidden."""

import re
from dataclasses import dataclass

LONGEST_PROMPT = 4_000  # a prompt is a few sentences; the rest of a longer text isn't read


@dataclass(frozen=True, slots=True)
class Masked:
    """A prompt with a mark of one character for each quoted value and placeholder, so that no word in them is misread."""

    text: str
    values: tuple[str, ...]
    quoted: tuple[str, ...]

    def plain(self, text: str) -> str:
        return MARK.sub(lambda mark: self.values[ord(mark[0]) - _FIRST_MARK], text)


_FIRST_MARK = 0xE000
_MOST_MARKS = 0x1800
ITEM = r"[\ue000-\uf7ff]"
MARK = re.compile(ITEM)
NUMBER = r"[$€£]?-?\d(?:[\d,.:/-]*\d)?"
# Our own marks, and characters that XPaths or databases can't contain.
_UNSAYABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f\ud800-\uf7ff\ufffe\uffff]")
_BLANKS = re.compile(r"\s+")  # patterns with optional blanks in several places take minutes over thousands of blanks
# An apostrophe within a word neither opens nor closes: 'Today's specials' is one value.
_QUOTED = re.compile(
    r"""(?i)(?<!\w)'((?:[^'\n]|'(?=\w)){1,400})'(?!\w)|"([^"\n]{1,400})"|\u201c([^\u201d\n]{1,400})\u201d|\u2018([^\u2019\n]{1,400})\u2019"""
    r"""|((?:\w[\w.+-]{0,40})?<[a-z_]{2,40}>(?:@\w+(?:[.-]\w+){0,4})?|https?://[^\s'"<>]+)"""
)


def mask(prompt: str) -> Masked:
    values: list[str] = []
    quoted: list[str] = []

    def hide(match: re.Match[str]) -> str:
        if len(values) >= _MOST_MARKS:
            return match[0]
        value = next(group for group in match.groups() if group)
        values.append(value)
        if not match[5]:
            quoted.append(value)
        return chr(_FIRST_MARK + len(values) - 1)

    text = _QUOTED.sub(hide, _UNSAYABLE.sub(" ", prompt[:LONGEST_PROMPT]))
    return Masked(_BLANKS.sub(lambda blanks: "\n" if "\n" in blanks[0] else " ", text), tuple(values), tuple(quoted))
