"""A task's earlier steps by our records, and the caller's history completed by them: selectors, texts of actions and effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from agents.contract.action_history import WAITS, sign
from agents.contract.limits import MAX_HISTORY
from agents.contract.protocol import PastAction, Step


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier step. `actions`: in the form of one-shot lists; `words`: their texts; `history_size`: of the history in its request;
    `received_at`: Unix seconds. `outcome`, `effect`: "" until the next step reports them. `confidence`: the template agent's, None without
    its plan. `limits`: with the plan's `solution` and `reached`, where it has them."""

    pk: int
    index: int
    history_size: int
    received_at: float
    url: str = ""
    route: str = ""
    actions: Sequence[Mapping[str, Any]] = ()
    words: Sequence[str] = ()
    seen: Mapping[str, Any] | None = None
    outcome: str = ""
    effect: str = ""
    notes: Sequence[str] = ()
    asked: Sequence[Sequence[str]] = ()
    confidence: float | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)

    def is_before(self, index: int) -> bool:
        """Whether the step with that index follows: callers without step numbers send 0 each time."""
        return index in (self.index + 1, 0)


def chain(newest_first: Sequence[Earlier], index: int, history_size: int) -> tuple[Earlier, ...]:
    """The steps of one run of the task, oldest first. A task may be posted again, so of several steps with one index it is the newest.

    Where a step was posted twice in one run and answered differently, which answer the caller ran is unknown: it has no actions then.
    """
    kept, later = list[Earlier](), Earlier(0, index, history_size, 0.0)
    for row in newest_first:
        is_lower = row.index < later.index or (row.index == later.index == 0 and row.history_size < later.history_size)
        if is_lower and row.history_size <= later.history_size and (later.pk == 0 or row.pk < later.pk):
            kept.append(row)
            later = row
    began = next((place for place, row in enumerate(kept) if row.index == row.history_size == 0), len(kept))
    kept = kept[: began + 1]
    before = {row.pk: earlier.pk for row, earlier in pairwise(kept)}
    by_index = {row.index: row for row in kept if row.index}
    twins = ((by_index[row.index], row) for row in newest_first if row.index in by_index)
    doubted = {row.pk for row, twin in twins if twin.pk > before.get(row.pk, 0) and twin.actions != row.actions}
    return tuple(replace(row, actions=(), words=(), notes=()) if row.pk in doubted else row for row in reversed(kept))


def completed(step: Step, earlier: Sequence[Earlier]) -> Step:
    """The step with its history completed by our records, and with notes on what of the last reply was not sent or not run.

    Records are matched with the caller's entries by place in the history, type, target and text; other entries stay unchanged. For a
    caller without a history it has the first action of each step, with an unknown outcome.
    """
    if earlier and earlier[0].index == earlier[0].history_size == 0:
        step = replace(step, start=earlier[0].url)
    if not earlier or len(step.history) >= MAX_HISTORY:
        return step
    if not step.history:
        return replace(step, history=tuple(_unreported(earlier)), notes=tuple(earlier[-1].notes))
    history, notes = list(step.history), list[str]()
    after = Earlier(0, step.index, len(history), 0.0, step.url)
    for row, following in pairwise((*earlier, after)):
        if not row.is_before(following.index):
            continue
        entries = step.history[row.history_size : following.history_size]
        matched = _matched(row.actions, entries)
        history[row.history_size : following.history_size] = _completed(row, entries, matched, following.url)
        if following is after:
            notes = [*row.notes, *_not_run(row, [at for at in matched if at is not None])]
    return replace(step, history=tuple(history), notes=tuple(notes))


def _matched(sent: Sequence[Mapping[str, Any]], entries: Sequence[PastAction]) -> list[int | None]:
    """For each entry the index of the action that it reports; both are in the order in which they ran."""
    matches, start = list[int | None](), 0
    for entry in entries:
        at = next((at for at in range(start, len(sent)) if _fits(entry, sent[at])), None)
        matches.append(at)
        start = start if at is None else at + 1
    return matches


def _fits(entry: PastAction, sent: Mapping[str, Any]) -> bool:
    if entry.type != sent.get("type"):
        return False
    text, reported = sent.get("text"), entry.fields.get("text")
    # Callers fill in placeholders.
    if isinstance(text, str) and isinstance(reported, str) and reported != text and "<" not in text:
        return False
    return entry.fields.keys() <= {"text"} or sign(entry.type, entry.fields) == sign(entry.type, sent)


def _completed(row: Earlier, entries: Sequence[PastAction], matched: Sequence[int | None], url: str) -> list[PastAction]:
    """`url`: of the page after these entries."""
    made = list[PastAction]()
    # Waits at the end change no page.
    last = max((place for place, entry in enumerate(entries, 1) if entry.type not in WAITS), default=len(entries))
    for place, (entry, at) in enumerate(zip(entries, matched, strict=True), 1):
        where = entry.url or (url if place >= last else row.url)
        if at is None:
            made.append(replace(entry, url=where))
            continue
        fields = {**_fields(row.actions[at]), **entry.fields}
        words = row.words[at] if at < len(row.words) else None
        is_completed, reached = fields.keys() != entry.fields.keys(), row.limits.get("reached", ())
        learned = (row.limits["solution"], reached[at]) if at < len(reached) else (0, 0)
        made.append(replace(entry, fields=fields, url=where, words=words, is_completed=is_completed, learned=learned))
    # The effect is that of all actions together; it is shown with the last one, which a failed one did not cause.
    shown = [place for place, entry in enumerate(made) if entry.words]
    shown = [place for place in shown if made[place].succeeded is not False] or shown
    if row.effect and made:
        place = shown[-1] if shown else -1
        made[place] = replace(made[place], effect=row.effect)
    return made


def _unreported(earlier: Sequence[Earlier]) -> list[PastAction]:
    made = list[PastAction]()
    for row in earlier:
        at = next((at for at, action in enumerate(row.actions) if action.get("type") not in WAITS), None)
        if at is not None:
            words = row.words[at] if at < len(row.words) else None
            made.append(PastAction(str(row.actions[at]["type"]), _fields(row.actions[at]), None, "", row.url, row.index, words, row.effect))
    return made


def _not_run(row: Earlier, ran: Sequence[int]) -> list[str]:
    """The actions of an LLM's reply after the last one that the caller ran."""
    left = [words for words in row.words[ran[-1] + 1 :] if words] if ran and row.route == "llm" else []
    return [f"The browser stopped before: {words}" for words in left]


def _fields(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name != "type"}
