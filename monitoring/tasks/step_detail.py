"""One step: what changed on its page since the step before, and its answer beside those of its replays."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher

from agents.common.redaction import redact
from agents.common.text import shorten
from agents.hybrid.page_archive import is_kept, kept
from agents.models import LLMAttempt, Replay, Step
from agents.page import Page, changes, read
from agents.policy.reasons import Verdict
from agents.prompting.prompt import question
from monitoring.tasks.steps import action_words, sentence_of

# A longer text is cut: it is to be recognised, not read.
LONGEST_TEXT = 160
REPLAYS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class PageChanges:
    """The page of a step beside the one of the step before it. `missing`: the indexes of the steps whose page is not kept.

    `actions`: those sent in between, as text; `appeared`, `gone`: texts, secrets masked; `errors`: those that are new.
    `opened`: the name of the dialog that is on top now and was not before; `closed`: one that was there is gone.
    """

    step: Step
    before: Step | None
    missing: tuple[int, ...] = ()
    actions: tuple[str, ...] = ()
    moved_to: str = ""
    errors: tuple[str, ...] = ()
    opened: str = ""
    closed: bool = False
    appeared: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        differences = (self.missing, self.moved_to, self.errors, self.opened, self.closed, self.appeared, self.gone)
        return bool(self.before) and not any(differences)


def page_changes(step: Step, now: datetime) -> PageChanges:
    """Reads both pages: not for a part that is refreshed."""
    before = step.task.steps.filter(pk__lt=step.pk).order_by("-pk").first()
    if before is None:
        return PageChanges(step, None)
    actions = tuple(action_words(action) for action in before.actions)
    old, new = _page(before, now), _page(step, now)
    if old is None or new is None:
        missing = tuple(each.index for each, page in ((before, old), (step, new)) if page is None)
        return PageChanges(step, before, missing, actions)
    found = changes(old, new)
    return PageChanges(
        step,
        before,
        actions=actions,
        moved_to=redact(new.url) if found.moved else "",
        errors=_masked(found.errors),
        opened="" if found.opened is None else redact(found.opened or "?"),
        closed=found.closed,
        appeared=_masked(found.appeared),
        gone=_masked(found.gone),
    )


def _page(step: Step, now: datetime) -> Page | None:
    request = kept(step.pk, now)
    return read(request.page, request.url) if request and request.page else None


def _masked(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(redact(shorten(text, LONGEST_TEXT)) for text in texts)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Cost in USD over all its attempts; tokens and cost None: unknown, or the LLM was not used.

    `actions`: each as text, and whether the other answer has it at the same place.
    """

    row: Step | Replay
    sentence: str
    model: str
    tokens: tuple[int, int] | None
    cost: Decimal | None
    actions: list[tuple[str, bool]]

    @property
    def actions_json(self) -> str:
        return json.dumps(self.row.actions, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ReplayDetail:
    """One replay: who answers, and both answers side by side once it is done."""

    row: Replay
    who: str
    then: Answer | None = None
    now: Answer | None = None

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


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """A step and its latest replays. `is_gone`: its page is not kept."""

    step: Step
    is_gone: bool
    replays: list[ReplayDetail]
    at: datetime

    @property
    def prompt(self) -> str:
        """The LLM's prompt, secrets masked. Reads the page again: not for a part that is refreshed."""
        request = kept(self.step.pk, self.at)
        if request is None:
            return ""
        page = read(request.page, request.url) if request.page else None
        return redact("\n\n".join(each["content"] for each in question(request, page).messages))


def replay_page(step: Step, now: datetime) -> ReplayPage:
    found = step.replays.select_related("account").prefetch_related("attempts").order_by("-requested_at", "-pk")[:REPLAYS_SHOWN]
    attempts = list(step.attempts.all())
    return ReplayPage(step, not is_kept(step.pk, now), [_detail(replay, step, attempts) for replay in found], now)


def _detail(replay: Replay, step: Step, attempts: Sequence[LLMAttempt]) -> ReplayDetail:
    who = f"{replay.model} of {replay.account.name}" if replay.account else replay.get_way_display()
    if replay.state != Replay.State.SUCCEEDED:
        return ReplayDetail(replay, who)
    # The places on both sides at which the actions are the same, in order
    old, new = ([json.dumps(action, sort_keys=True) for action in row.actions] for row in (step, replay))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    same_then = {block.a + n for block in blocks for n in range(block.size)}
    same_now = {block.b + n for block in blocks for n in range(block.size)}
    sentence = "Only the template agent was used." if replay.way == Replay.Way.TEMPLATE else sentence_of(replay.reason)
    now = _answer(replay, sentence, list(replay.attempts.all()), same_now)
    return ReplayDetail(replay, who, _answer(step, sentence_of(step.reason), attempts, same_then), now)


def _answer(row: Step | Replay, sentence: str, attempts: Sequence[LLMAttempt], same: set[int]) -> Answer:
    counted = [(each.prompt_tokens, each.completion_tokens or 0) for each in attempts if each.prompt_tokens is not None]
    costs = [each.cost for each in attempts if each.cost is not None]
    return Answer(
        row=row,
        sentence=sentence,
        model=next((each.model for each in attempts if each.verdict == Verdict.OK), ""),
        tokens=(sum(prompt for prompt, _ in counted), sum(reply for _, reply in counted)) if counted else None,
        cost=sum(costs, Decimal()) if costs else None,
        actions=[(action_words(raw), place in same) for place, raw in enumerate(row.actions)],
    )
