"""A task's earlier steps by our own records, and a caller's history with what they add to it: selectors, words and effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from agents.contract.action_history import WAITS, sign
from agents.contract.limits import MAX_HISTORY
from agents.contract.protocol import PastAction, Step


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier step. `actions`: as one-shot lists have them, each with its `words`; `history_size`: of the history that came with the
    step; `received_at` in Unix seconds. `outcome`, `effect`: "" where the step after it has not reported them.
    `confidence`: the template agent's, None without its plan."""

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
        """Whether the step of that index comes next: callers without step numbers send 0 each time."""
        return index in (self.index + 1, 0)


def chain(newest_first: Sequence[Earlier], index: int, history_size: int) -> tuple[Earlier, ...]:
    """The steps of one run of the task, oldest first: of those of one index the newest, as a task may come again.

    Where a step came twice in one run and was answered differently, it is not known which answer the caller ran: it has no actions then.
    """
    kept, later = list[Earlier](), Earlier(0, index, history_size, 0.0)
    for one in newest_first:
        is_lower = one.index < later.index or (one.index == later.index == 0 and one.history_size < later.history_size)
        if is_lower and one.history_size <= later.history_size and (later.pk == 0 or one.pk < later.pk):
            kept.append(one)
            later = one
    began = next((place for place, one in enumerate(kept) if one.index == one.history_size == 0), len(kept))
    kept = kept[: began + 1]
    before = {one.pk: earlier.pk for one, earlier in pairwise(kept)}
    by_index = {one.index: one for one in kept if one.index}
    twins = ((by_index[one.index], one) for one in newest_first if one.index in by_index)
    doubted = {one.pk for one, twin in twins if twin.pk > before.get(one.pk, 0) and twin.actions != one.actions}
    return tuple(replace(one, actions=(), words=(), notes=()) if one.pk in doubted else one for one in reversed(kept))


def completed(step: Step, earlier: Sequence[Earlier]) -> Step:
    """The step with its history as far as our records complete it, and with notes on what of the last reply was not sent or not run.

    The records are matched with the caller's entries by their place in the history, type, target and text; what does not match stays as
    the caller has it. A caller that sends no history gets the first action of each step, with an outcome that is not known.
    """
    if earlier and earlier[0].index == earlier[0].history_size == 0:
        step = replace(step, start=earlier[0].url)
    if not earlier or len(step.history) >= MAX_HISTORY:
        return step
    if not step.history:
        return replace(step, history=tuple(_unreported(earlier)), notes=tuple(earlier[-1].notes))
    history, notes = list(step.history), list[str]()
    after = Earlier(0, step.index, len(history), 0.0, step.url)
    for one, following in pairwise((*earlier, after)):
        if not one.is_before(following.index):
            continue
        entries = step.history[one.history_size : following.history_size]
        matched = _matched(one.actions, entries)
        history[one.history_size : following.history_size] = _completed(one, entries, matched, following.url)
        if following is after:
            notes = [*one.notes, *_not_run(one, [at for at in matched if at is not None])]
    return replace(step, history=tuple(history), notes=tuple(notes))


def _matched(sent: Sequence[Mapping[str, Any]], entries: Sequence[PastAction]) -> list[int | None]:
    """For each entry the action that it is the outcome of; both are in the order in which they ran."""
    found, start = list[int | None](), 0
    for entry in entries:
        at = next((at for at in range(start, len(sent)) if _fits(entry, sent[at])), None)
        found.append(at)
        start = start if at is None else at + 1
    return found


def _fits(entry: PastAction, sent: Mapping[str, Any]) -> bool:
    if entry.type != sent.get("type"):
        return False
    text, said = sent.get("text"), entry.fields.get("text")
    # Callers fill placeholders in.
    if isinstance(text, str) and isinstance(said, str) and said != text and "<" not in text:
        return False
    return entry.fields.keys() <= {"text"} or sign(entry.type, entry.fields) == sign(entry.type, sent)


def _completed(one: Earlier, entries: Sequence[PastAction], matched: Sequence[int | None], url: str) -> list[PastAction]:
    """`url`: where the browser was after them."""
    made = list[PastAction]()
    for place, (entry, at) in enumerate(zip(entries, matched, strict=True), 1):
        where = entry.url or (url if place == len(entries) else one.url)
        if at is None:
            made.append(replace(entry, url=where))
            continue
        fields = {**_fields(one.actions[at]), **entry.fields}
        words = one.words[at] if at < len(one.words) else None
        is_completed = fields.keys() != entry.fields.keys()
        made.append(replace(entry, fields=fields, url=where, words=words, is_completed=is_completed))
    # The effect is that of all that ran: it stands with the last action that is shown.
    shown = [place for place, entry in enumerate(made) if entry.words]
    if one.effect and made:
        place = shown[-1] if shown else -1
        made[place] = replace(made[place], effect=one.effect)
    return made


def _unreported(earlier: Sequence[Earlier]) -> list[PastAction]:
    made = list[PastAction]()
    for one in earlier:
        at = next((at for at, action in enumerate(one.actions) if action.get("type") not in WAITS), None)
        if at is not None:
            words = one.words[at] if at < len(one.words) else None
            made.append(PastAction(str(one.actions[at]["type"]), _fields(one.actions[at]), None, "", one.url, one.index, words, one.effect))
    return made


def _not_run(one: Earlier, ran: Sequence[int]) -> list[str]:
    """Of an LLM's reply: what comes after the last action that the caller ran."""
    left = [words for words in one.words[ran[-1] + 1 :] if words] if ran and one.route == "llm" else []
    return [f"The browser stopped before: {words}" for words in left]


def _fields(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name != "type"}
