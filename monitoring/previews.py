"""What settings come to, in a line each. Pure; a value of None can't be read and has no line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from agents.governor import Pacing
from agents.hybrid import MARGIN, Use
from agents.text import length


def previews(values: Mapping[str, Any]) -> dict[str, str]:
    """A line by the name of its setting."""
    lines = {
        "spacing_seconds": _rate(values.get("spacing_seconds"), values.get("pacing")),
        "backoff_seconds": _ladder(values.get("backoff_seconds"), values.get("backoff_max_seconds")),
        "backoff_max_seconds": _longest(values.get("backoff_seconds"), values.get("backoff_max_seconds")),
        "deadline_seconds": _deadline(values.get("deadline_seconds"), values.get("spacing_seconds")),
        "sure_from": _sure(values.get("sure_from"), values.get("llm_use")),
        "max_task_usd": _task_cost(values.get("max_task_usd")),
        "look_before_planning": _look(values.get("look_before_planning"), values.get("look_hosts")),
    }
    return {name: line for name, line in lines.items() if line}


def _rate(spacing: float | None, pacing: str | None) -> str:
    if spacing is None:
        return ""
    start = _("At the start: ") if pacing == Pacing.LEARNED else ""
    if not spacing:
        return _("{start}no spacing: requests go as fast as steps come").format(start=start)
    if spacing <= 60:
        return _("{start}{rate:.3g} requests a minute at most").format(start=start, rate=60 / spacing)
    return _("{start}{rate:.3g} requests an hour at most").format(start=start, rate=3600 / spacing)


def _ladder(ladder: list[float] | None, longest: float | None) -> str:
    if not ladder:
        return ""
    rungs = ", ".join(length(pause) for pause in ladder)
    if longest is None or longest <= ladder[-1]:
        return _("Ladder: {rungs}, then {length} each time").format(rungs=rungs, length=length(ladder[-1]))
    return _("Ladder: {rungs}, then doubling up to {longest}").format(rungs=rungs, longest=length(longest))


def _longest(ladder: list[float] | None, longest: float | None) -> str:
    if not ladder or longest is None or longest >= ladder[-1]:
        return ""
    return _("Is raised to {last}: it can't be shorter than the last pause").format(last=length(ladder[-1]))


def _deadline(deadline: float | None, spacing: float | None) -> str:
    if deadline is None:
        return ""
    left = deadline - MARGIN
    line = _("The agent has {left:g} s, {margin:g} s are for the way back").format(left=left, margin=MARGIN)
    if spacing and spacing > left:
        line += _(". With {spacing} between requests, of steps that come at once only the first can wait for the LLM").format(
            spacing=length(spacing)
        )
    return line


def _sure(sure_from: float | None, use: str | None) -> str:
    if sure_from is None or use != Use.WHEN_UNSURE:
        return ""
    if not sure_from:
        return _("The template agent answers every step: it is always at least 0 % sure")
    return _("Steps of which the template agent is at least {percent:g} % sure take no slot").format(percent=sure_from * 100)


def _task_cost(usd: float | None) -> str:
    if usd is None:
        return ""
    return _("1,000 tasks cost at most {usd:,.2f} USD").format(usd=usd * 1000) if usd else _("No cap: a task may cost anything")


def _look(looks: bool | None, hosts: list[str] | None) -> str:
    if not looks or hosts is None:
        return ""
    return (
        _("Pages on {hosts} are read first").format(hosts=", ".join(hosts[:3]) + (" …" if len(hosts) > 3 else ""))
        if hosts
        else _("No host is listed: nothing is looked at")
    )
