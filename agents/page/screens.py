"""Whether class names that show and hide by the screen's width hide something on a desktop: 1280 to 1920 pixels."""

import re
from collections.abc import Iterable

_SHOWS = frozenset(
    """block inline inline-block flex inline-flex grid inline-grid table table-row table-cell contents flow-root
    list-item initial""".split()  # noqa: SIM905 (words read best as words)
)
_HIDES = frozenset({"hidden", "none"})
# From which widths on they hold, the narrowest first: of those that hold, the widest counts.
_WIDTHS = {"": 0, "sm": 1, "md": 2, "lg": 3, "xl": 4}
_NEVER, _SOMETIMES = -1, 5
_NEVER_ON_DESKTOPS = frozenset({"dark", "print", "max-sm", "max-md", "max-lg", "max-xl"})
_BOUND = re.compile(r"(min|max)-\[(\d{1,5})px\]")
_NARROWEST = 1_280
# Names that other frameworks have for the same, whole.
_HIDDEN = re.compile(
    r"is-hidden(?:-(?:tablet|desktop|widescreen))?|(?:uk-hidden)(?:@[sml])?|hidden-(?:lg|xl)|hidden-(?:sm|md|lg)-(?:and-)?up"
    r"|hide-for-(?:medium|large|xlarge)|show-for-(?:small|medium)-only|hide-on-(?:large-only|med-and-up)"
    r"|visible-(?:xs|sm|md)(?:-(?:block|inline|inline-block))?"
)
_VISIBLE = re.compile(r"visible-(?:lg|xl)(?:-(?:block|inline|inline-block))?")


def hides(names: Iterable[str]) -> bool:
    """What shows in some state of the element or on the widest screens only counts as shown: a control too many harms less."""
    names = [name.strip("!") for name in names]
    if any(map(_HIDDEN.fullmatch, names)) and not any(map(_VISIBLE.fullmatch, names)):
        return True
    widest, is_hidden = _NEVER, False
    for when, display in map(_parted, names):
        if display in _SHOWS or display in _HIDES:
            since, is_none = _since(when), display in _HIDES
            if since == _SOMETIMES and not is_none:
                return False
            if _NEVER < since < _SOMETIMES and (since > widest or (since == widest and is_none)):
                widest, is_hidden = since, is_none
    return is_hidden


def _parted(name: str) -> tuple[str, str]:
    """When it holds, and the display: "md:hidden", "d-md-none"; nothing for a name about something else."""
    if not name.startswith("d-"):
        when, _, display = name.rpartition(":")
        return when, "" if display == "none" else display.strip("!")
    width, _, display = name[2:].partition("-")
    return (width, display) if width in {*_WIDTHS, "xxl", "print"} else ("", name[2:])


def _since(when: str) -> int:
    widths = [_of_condition(condition) for condition in when.split(":")]
    return _NEVER if _NEVER in widths else max(widths)


def _of_condition(condition: str) -> int:
    if bound := _BOUND.fullmatch(condition):
        holds = (int(bound[2]) <= _NARROWEST) == (bound[1] == "min")
        return (_WIDTHS["xl"] if bound[1] == "min" else _SOMETIMES) if holds else _SOMETIMES if bound[1] == "min" else _NEVER
    return _NEVER if condition in _NEVER_ON_DESKTOPS else _WIDTHS.get(condition, _SOMETIMES)
