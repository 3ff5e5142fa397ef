"""What settings come to, in a line each. Pure; a value of None can't be read and has no line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.governor import Pacing
from agents.hybrid import MARGIN, Use
from agents.text import length


def previews(values: Mapping[str, Any]) -> dict[str, str]:
    """A line by the name of its setting."""
    lines = {
        "spacing_seconds": _rate(values.get("spacing_seconds"), values.get("pacing")),
        "backoff_seconds": _ladder(values.get("backoff_seconds"), values.get("backoff_max_seconds")),
        "deadline_seconds": _deadline(values.get("deadline_seconds"), values.get("spacing_seconds")),
        "sure_from": _sure(values.get("sure_from"), values.get("llm_use")),
        "max_task_usd": _task_cost(values.get("max_task_usd")),
        "look_before_planning": _look(values.get("look_before_planning"), values.get("look_hosts")),
    }
    return {name: line for name, line in lines.items() if line}


def _rate(spacing: float | None, pacing: str | None) -> str:
    if spacing is None:
        return ""
    start = "At the start: " if pacing == Pacing.LEARNED else ""
    if not spacing:
        return f"{start}no spacing: requests go as fast as steps come"
    rate, unit = (60 / spacing, "minute") if spacing <= 60 else (3600 / spacing, "hour")
    return f"{start}{rate:.3g} requests {'a' if unit == 'minute' else 'an'} {unit} at most"


def _ladder(ladder: list[float] | None, longest: float | None) -> str:
    if not ladder:
        return ""
    rungs = ", ".join(length(pause) for pause in ladder)
    if longest is None or longest <= ladder[-1]:
        return f"Ladder: {rungs}, then {length(ladder[-1])} each time"
    return f"Ladder: {rungs}, then doubling up to {length(longest)}"


def _deadline(deadline: float | None, spacing: float | None) -> str:
    if deadline is None:
        return ""
    left = deadline - MARGIN
    line = f"The agent has {left:g} s, {MARGIN:g} s are for the way back"
    if spacing and spacing > left:
        line += f". With {length(spacing)} between requests, of steps that come at once only the first can wait for the LLM"
    return line


def _sure(sure_from: float | None, use: str | None) -> str:
    if sure_from is None or use != Use.WHEN_UNSURE:
        return ""
    if not sure_from:
        return "The template agent answers every step: it is always at least 0 % sure"
    return f"Steps of which the template agent is at least {sure_from * 100:g} % sure take no slot"


def _task_cost(usd: float | None) -> str:
    if usd is None:
        return ""
    return f"1,000 tasks cost at most {usd * 1000:,.2f} USD" if usd else "No cap: a task may cost anything"


def _look(looks: bool | None, hosts: list[str] | None) -> str:
    if not looks or hosts is None:
        return ""
    return (
        f"Pages on {', '.join(hosts[:3])}{' …' if len(hosts) > 3 else ''} are read first"
        if hosts
        else "No host is listed: nothing is looked at"
    )
