"""One step: what changed on its page since the step before, and its answer beside those of its replays."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from agents.common.redaction import redact
from agents.common.text import shorten
from agents.hybrid.page_archive import kept
from agents.models import LLMAttempt, Replay, Step
from agents.page import Page, changes, read
from agents.policy.reasons import Verdict
from agents.prompting.prompt import question
from monitoring.tasks.steps import action_words

# A longer text is cut: it is to be recognised, not read.
LONGEST_TEXT = 160
REPLAYS_SHOWN = 10


def page_changes(step: Step, now: datetime) -> dict[str, Any]:
    """The page of a step beside the one of the step before it, secrets masked. Reads both pages: not for a part that is refreshed.

    `missing`: the indexes of the steps whose page is not kept. `opened`: the name of the dialog that is on top now and was not before.
    """
    before = step.task.steps.filter(pk__lt=step.pk).order_by("-pk").first()
    if before is None:
        return {"step": step}
    shown = {"step": step, "before": before, "actions": [action_words(action) for action in before.actions]}
    old, new = _page(before, now), _page(step, now)
    if old is None or new is None:
        return {**shown, "missing": [each.index for each, page in ((before, old), (step, new)) if page is None]}
    found = changes(old, new)
    differences = {
        "moved_to": redact(new.url) if found.moved else "",
        "errors": _masked(found.errors),
        "opened": "" if found.opened is None else redact(found.opened or "?"),
        "closed": found.closed,
        "appeared": _masked(found.appeared),
        "gone": _masked(found.gone),
    }
    return {**shown, **differences, "is_same": not any(differences.values())}


def _page(step: Step, now: datetime) -> Page | None:
    request = kept(step.pk, now)
    return read(request.page, request.url) if request and request.page else None


def _masked(texts: Iterable[str]) -> list[str]:
    return [redact(shorten(text, LONGEST_TEXT)) for text in texts]


def prompt_of(step: Step, now: datetime) -> str:
    """The LLM's prompt, secrets masked. Reads the page again: not for a part that is refreshed."""
    request = kept(step.pk, now)
    if request is None:
        return ""
    page = read(request.page, request.url) if request.page else None
    return redact("\n\n".join(each["content"] for each in question(request, page).messages))


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens and cost in USD over all its attempts, None where unknown. `actions`: in words, and whether the other answer has it there."""

    row: Step | Replay
    model: str
    tokens: tuple[int, int] | None
    cost: Decimal | None
    actions: list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class ReplayDetail:
    row: Replay
    then: Answer | None = None
    now: Answer | None = None

    @property
    def who(self) -> str:
        return f"{self.row.model} of {self.row.account.name}" if self.row.account else self.row.get_way_display()

    @property
    def comparison(self) -> str:
        if self.then is None or self.now is None:
            return ""
        then, now = ([is_same for _, is_same in answer.actions] for answer in (self.then, self.now))
        ends = {True: " Now it reports that the task is done.", False: " Only then it reported that the task is done."}
        end = "" if self.then.row.done == self.now.row.done else ends[self.now.row.done]
        if all(then + now) and not end:
            return "The same answer."
        return f"The answers differ: {then.count(False)} of {len(then)} actions then, {now.count(False)} of {len(now)} now.{end}"


def latest_replays(step: Step) -> list[ReplayDetail]:
    found = step.replays.select_related("account").prefetch_related("attempts").order_by("-requested_at", "-pk")[:REPLAYS_SHOWN]
    attempts = list(step.attempts.all())
    return [_detail(replay, step, attempts) for replay in found]


def _detail(replay: Replay, step: Step, attempts: list[LLMAttempt]) -> ReplayDetail:
    if replay.state != Replay.State.SUCCEEDED:
        return ReplayDetail(replay)
    # The places on both sides at which the actions are the same, in order
    old, new = ([json.dumps(action, sort_keys=True) for action in row.actions] for row in (step, replay))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    same_then = {block.a + n for block in blocks for n in range(block.size)}
    same_now = {block.b + n for block in blocks for n in range(block.size)}
    return ReplayDetail(replay, _answer(step, attempts, same_then), _answer(replay, list(replay.attempts.all()), same_now))


def _answer(row: Step | Replay, attempts: list[LLMAttempt], same: set[int]) -> Answer:
    counted = [(each.prompt_tokens, each.completion_tokens or 0) for each in attempts if each.prompt_tokens is not None]
    costs = [each.cost for each in attempts if each.cost is not None]
    return Answer(
        row=row,
        model=next((each.model for each in attempts if each.verdict == Verdict.OK), ""),
        tokens=(sum(prompt for prompt, _ in counted), sum(reply for _, reply in counted)) if counted else None,
        cost=sum(costs, Decimal()) if costs else None,
        actions=[(action_words(raw), place in same) for place, raw in enumerate(row.actions)],
    )
