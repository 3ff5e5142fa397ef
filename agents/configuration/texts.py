"""What people write in forms and on command lines, as values. Raises ValueError with the remedy."""

from __future__ import annotations

import json
import math
from typing import Any

from django.utils.translation import gettext as _

NETWORKS, NAMES = ("llm_callers", "look_hosts"), ("model_names",)
SWITCHES = ("look_before_planning", "probe_after_pause", "retest_after_pause", "keep_info_logs", "enabled")
OBJECTS = ("request_options", "price_overrides")
PLAIN = ("sure_from", "max_task_usd")
WHOLE = ("health_seconds", "failures_before_down", "silence_minutes", "least_llm_percent")


def parsed(name: str, text: str) -> Any:
    """The value of the setting, or of an account's field, `name`. Raises ValueError with the remedy."""
    if name == "backoff_seconds":
        return [_number(part) for part in _parts(text)]
    if name in NETWORKS:
        return _parts(text)
    if name in NAMES:
        return list(dict.fromkeys(_parts(text)))
    if name in SWITCHES:
        return _switch(text)
    if name in OBJECTS:
        return _object(text)
    return _one(name, text)


def _one(name: str, text: str) -> Any:
    """A value that is no list, switch or object."""
    if name == "position":
        return _place(text)
    if name in WHOLE:
        return _whole(text)
    if name in PLAIN:
        return _plain(text)
    return _number(text) if name.endswith(("_seconds", "_minutes")) else text.strip()


def _switch(text: str) -> bool:
    if text.strip() not in ("true", "false"):
        raise ValueError(_("“{text}” is neither true nor false.").format(text=text))
    return text.strip() == "true"


def _object(text: str) -> Any:
    """A JSON object; nothing is an empty one."""
    try:
        return json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise ValueError(
            _("This is no JSON: {fault}, at line {line}, column {column}.").format(fault=error.msg, line=error.lineno, column=error.colno)
        ) from None
    except (ValueError, RecursionError):
        raise ValueError(_("This is no JSON that can be read: a number is too long, or it is nested too deep.")) from None


def _place(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(_("“{text}” is not a place in the order. 1 is tried first.").format(text=text.strip())) from None


def _parts(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(_("“{text}” is not a whole number.").format(text=text.strip())) from None


def _number(text: str) -> float:
    number = _finite(text)
    if number is None:
        raise ValueError(_("“{text}” is not a number of seconds.").format(text=text.strip()))
    return int(number) if number.is_integer() else number


def _plain(text: str) -> float:
    number = _finite(text)
    if number is None:
        raise ValueError(_("“{text}” is not a number.").format(text=text.strip()))
    return number


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
