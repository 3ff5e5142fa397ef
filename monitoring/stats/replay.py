"""A step's answer beside those of its replays, with what differs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext as _

from agents.models import LLMAttempt, Replay, Step
from agents.page import read
from agents.prompt import question
from agents.reasons import Verdict
from agents.redaction import redact
from agents.step_pages import is_kept, kept
from monitoring.stats.steps import sentence_of
from monitoring.stats.words import action_words

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One action in words, and whether the other side has it at the same place."""

    words: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One answer. Duration in ms, cost in USD over all its attempts; tokens and cost None: unknown, or the LLM was not asked."""

    route: str
    sentence: str
    model: str
    duration_ms: float | None
    tokens: tuple[int, int] | None
    cost: Decimal | None
    done: bool
    lines: list[Line]
    actions_json: str


@dataclass(frozen=True, slots=True)
class Told:
    """One replay: how it was asked, where it is, and both answers side by side once it is done."""

    replay: Replay
    asked: str
    is_under_way: bool
    then: Side | None = None
    now: Side | None = None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """A step and its latest replays. `is_gone`: its page is not there any more."""

    step: Step
    is_gone: bool
    replays: list[Told]
    at: datetime

    @property
    def prompt(self) -> str:
        """What a model is asked, secrets masked. Reads the page once more: not for what is refreshed all the time."""
        asked = kept(self.step.pk, self.at)
        if asked is None:
            return ""
        page = read(asked.page, asked.url) if asked.page else None
        return redact("\n\n".join(each["content"] for each in question(asked, page).messages))


def replay_page(pk: int, now: datetime) -> ReplayPage | None:
    """What is known of a step's replays; None where there is no such step."""
    step = Step.objects.select_related("task").filter(pk=pk).first()
    if step is None:
        return None
    found = list(step.replays.select_related("account").prefetch_related("attempts").order_by("-asked_at", "-pk")[:SHOWN])
    attempts = list(step.attempts.all())
    return ReplayPage(step, not is_kept(pk, now), [_told(replay, step, attempts) for replay in found], now)


def _told(replay: Replay, step: Step, attempts: Sequence[LLMAttempt]) -> Told:
    way, under_way = replay.get_way_display(), replay.state in (Replay.State.QUEUED, Replay.State.RUNNING)
    asked = _("{model} of {name}").format(model=replay.model, name=replay.account.name) if replay.account else way
    if replay.state != Replay.State.DONE:
        return Told(replay, asked, under_way)
    same_then, same_now = _same(step.actions, replay.actions)
    then, now = _side(step, attempts, same_then), _side(replay, list(replay.attempts.all()), same_now)
    if replay.way == Replay.Way.TEMPLATE:
        now = dataclasses.replace(now, sentence=_("The template agent alone was asked."))
    return Told(replay, asked, under_way, then, now, _verdict(then, now))


def _same(first: list[Any], second: list[Any]) -> tuple[set[int], set[int]]:
    """The places on both sides at which the actions are the same, in order."""
    one, other = ([json.dumps(action, sort_keys=True) for action in actions] for actions in (first, second))
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return {b.a + n for b in blocks for n in range(b.size)}, {b.b + n for b in blocks for n in range(b.size)}


def _side(answer: Step | Replay, attempts: Sequence[LLMAttempt], same: set[int]) -> Side:
    counted = [(each.prompt_tokens, each.completion_tokens) for each in attempts if each.prompt_tokens is not None]
    costs = [each.cost for each in attempts if each.cost is not None]
    return Side(
        route=answer.route,
        sentence=sentence_of(answer.reason),
        model=next((each.model for each in attempts if each.verdict == Verdict.OK), ""),
        duration_ms=answer.duration_ms,
        tokens=(sum(prompt or 0 for prompt, _ in counted), sum(reply or 0 for _, reply in counted)) if counted else None,
        cost=sum(costs, Decimal()) if costs else None,
        done=answer.done,
        lines=[Line(action_words(raw), place in same) for place, raw in enumerate(answer.actions)],
        actions_json=json.dumps(answer.actions, indent=2, ensure_ascii=False),
    )


def _verdict(then: Side, now: Side) -> str:
    if [line.is_same for line in then.lines + now.lines].count(False) == 0 and then.done == now.done:
        return _("The same answer.")
    differing = sum(not line.is_same for line in then.lines), sum(not line.is_same for line in now.lines)
    told = _("The answers differ: {differ} of {actions} actions then, {differ_now} of {actions_now} now.").format(
        differ=differing[0], actions=len(then.lines), differ_now=differing[1], actions_now=len(now.lines)
    )
    if then.done == now.done:
        return told
    return f"{told} {_('Now it says that the task is done.') if now.done else _('Only then it says that the task is done.')}"
