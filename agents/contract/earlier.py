"""A task's earlier steps by our records, and the caller's history completed by them: selectors, texts of actions and effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from agents.contract.action_history import WAITS, sign
from agents.contract.limits import MAX_HISTORY
from agents.contract.protocol import PastAction, Step


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier step. `actions`: in the form of one-shot lists; `words`: their texts; `history_size`: of the history in its request;
    `received_at`: Unix seconds. `outcome`, `effect`: "" until the next step reports them. `confidence`: the template agent's, None without
    its plan."""

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

    def is_before(self, index: int) -> bool:
        """Whether the step with that index follows: callers without step numbers send 0 each time."""
        return index in (self.index + 1, 0)


def chain(newest_first: Sequence[Earlier], index: int, history_size: int) -> tuple[Earlier, ...]:
    """The steps of one run of the task, oldest first. A task may be posted again, so of several steps with one index it is the newest.

    Where a step was posted twice in one run and answered differently, which answer the caller ran is unknown: it has no actions then.
    """
    kept, later = list[Earlier](), Earlier(0, index, history_size, 0.0)
    for record in newest_first:
        is_lower = record.index < later.index or (record.index == later.index == 0 and record.history_size < later.history_size)
        if is_lower and record.history_size <= later.history_size and (later.pk == 0 or record.pk < later.pk):
            kept.append(record)
            later = record
    began = next((place for place, record in enumerate(kept) if record.index == record.history_size == 0), len(kept))
    kept = kept[: began + 1]
    before = {record.pk: earlier.pk for record, earlier in pairwise(kept)}
    by_index = {record.index: record for record in kept if record.index}
    twins = ((by_index[record.index], record) for record in newest_first if record.index in by_index)
    doubted = {record.pk for record, twin in twins if twin.pk > before.get(record.pk, 0) and twin.actions != record.actions}
    return tuple(replace(record, actions=(), words=(), notes=()) if record.pk in doubted else record for record in reversed(kept))


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
    for record, following in pairwise((*earlier, after)):
        if not record.is_before(following.index):
            continue
        entries = step.history[record.history_size : following.history_size]
        matched = _matched(record.actions, entries)
        history[record.history_size : following.history_size] = _completed(record, entries, matched, following.url)
        if following is after:
            notes = [*record.notes, *_not_run(record, [at for at in matched if at is not None])]
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


def _completed(record: Earlier, entries: Sequence[PastAction], matched: Sequence[int | None], url: str) -> list[PastAction]:
    """`url`: of the page after these entries."""
    made = list[PastAction]()
    for place, (entry, at) in enumerate(zip(entries, matched, strict=True), 1):
        where = entry.url or (url if place == len(entries) else record.url)
        if at is None:
            made.append(replace(entry, url=where))
            continue
        fields = {**_fields(record.actions[at]), **entry.fields}
        words = record.words[at] if at < len(record.words) else None
        is_completed = fields.keys() != entry.fields.keys()
        made.append(replace(entry, fields=fields, url=where, words=words, is_completed=is_completed))
    # The effect is that of all actions together; it is shown with the last one.
    shown = [place for place, entry in enumerate(made) if entry.words]
    if record.effect and made:
        place = shown[-1] if shown else -1
        made[place] = replace(made[place], effect=record.effect)
    return made


def _unreported(earlier: Sequence[Earlier]) -> list[PastAction]:
    made = list[PastAction]()
    for record in earlier:
        at = next((at for at, action in enumerate(record.actions) if action.get("type") not in WAITS), None)
        if at is not None:
            words = record.words[at] if at < len(record.words) else None
            made.append(
                PastAction(
                    str(record.actions[at]["type"]), _fields(record.actions[at]), None, "", record.url, record.index, words, record.effect
                )
            )
    return made


def _not_run(record: Earlier, ran: Sequence[int]) -> list[str]:
    """The actions of an LLM's reply after the last one that the caller ran."""
    left = [words for words in record.words[ran[-1] + 1 :] if words] if ran and record.route == "llm" else []
    return [f"The browser stopped before: {words}" for words in left]


def _fields(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name != "type"}
