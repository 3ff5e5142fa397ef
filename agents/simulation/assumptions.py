"""What a replay of the past takes for granted, as sentences: beside what is on record, the rest has to be assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from agents.pacing import CLAIMED, MINUTE
from agents.refusals import RefusalClass
from agents.simulation.evidence import Evidence, evidence
from agents.simulation.past import Outcome, Past

ALWAYS = (
    "The gate starts afresh at the beginning of this time: what it had learned before is not known to it.",
    "Deadlines that a caller set hold; where a step's time was the setting's, the setting tried counts.",
    "A step that waited for the answer to the one before it comes as long after that answer as it did; others come when they came.",
    "Answers that were cut off stay without an answer under any deadline. The template agent answers at once.",
)


def assumptions(past: Past) -> list[str]:
    """The sentences for `past`, the weightiest first."""
    shown = evidence(past)
    return [*_limit(past, shown), *_blocks(shown), *_answers(past), *ALWAYS, *_left_out(past)]


def _limit(past: Past, shown: Evidence) -> Iterator[str]:
    violations = shown.all_violations
    if violations:
        least, most = min(each.most for each in violations), max(each.most for each in violations)
        counts = f"{least}" if least == most else f"{least} to {most}"
        times = "once" if len(violations) == 1 else f"{len(violations)} times"
        yield (
            f"Our own pace ran into the account's limit {times}, at {counts} requests in {_horizons(shown)}: around those times that is "
            "its limit, and meeting it brings a block as long as the nearest one on record. Harder use may have been punished harder."
        )
    else:
        yield "The account's limit was never met in this time."
    source = "the provider's published limit" if past.published else "the provider's usual limit"
    known = f"It took up to {shown.proven} requests in a minute" if shown.proven else "It took no request"
    yield f"{known}; elsewhere it is taken to let {shown.untouched:.0f} a minute in ({source}, {past.published or CLAIMED:.0f}), which is not proven."


def _horizons(shown: Evidence) -> str:
    met = [horizon for horizon, some in shown.violations.items() if some]
    return " or ".join("a minute" if horizon == MINUTE else f"{horizon:.0f} s" for horizon in sorted(met, reverse=True))


def _blocks(shown: Evidence) -> Iterator[str]:
    counts = Counter(block.kind for block in shown.blocks)
    edge = counts.pop(RefusalClass.EDGE, 0)
    if edge:
        yield f"{edge} block{'s' if edge > 1 else ''} by the edge came without our doing (first {_first(shown, RefusalClass.EDGE)}): they stay where they were."
    for kind, count in counts.items():
        yield f"{kind.sentence.rstrip('.')}: {count} time{'s' if count > 1 else ''} (first {_first(shown, kind)}), and so at the same times here, however much is used."
    if shown.blocks or shown.all_violations:
        yield "A block whose end nobody told is taken to have ended midway between the last refusal and the first request that came through."


def _first(shown: Evidence, kind: RefusalClass) -> str:
    start = next(block.start for block in shown.blocks if block.kind is kind)
    return f"{datetime.fromtimestamp(start, UTC):%-d %b %H:%M} UTC"


def _answers(past: Past) -> Iterator[str]:
    answers = sum(each.for_step and each.outcome is not Outcome.REFUSED for each in past.sent)
    if answers:
        yield f"Latencies, failures, unusable replies and full models are drawn from the {answers:,} requests on record, of that model and about that time."
    else:
        yield "No request came through in this time: answers are taken to take 2 to 6 s and to be usable."


def _left_out(past: Past) -> Iterator[str]:
    if past.elsewhere:
        yield f"Only the account {past.account} is played; {past.elsewhere:,} requests went to other accounts."
    if past.changes:
        yield "Settings were changed within this time; here one set of them holds from beginning to end."
    if past.operator_pauses:
        yield "Pauses by operators are left out."
