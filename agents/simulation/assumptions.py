"""What a replay of the past takes for granted, as sentences: what is not on record has to be assumed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agents.pacing import CLAIMED
from agents.refusals import RefusalClass
from agents.simulation.evidence import Block, Evidence, evidence
from agents.simulation.past import Outcome, Past
from agents.slots import MINUTE

ALWAYS = (
    "The gate starts afresh at the beginning of this time: what it had learned before is not known to it.",
    "Deadlines that a caller set hold; where a step's time was the setting's, the setting tried counts.",
    "A step that waited for the answer to the one before it comes as long after that answer as it did; others come when they came.",
    "Answers that were cut off stay without an answer under any deadline. The template agent answers at once.",
)
MIDWAY = (
    "Where nobody told when a block or a limit ended, it is taken to have ended midway between the last request that met it and the first "
    "one that shows otherwise."
)


def assumptions(past: Past) -> list[str]:
    """The sentences for `past`, the weightiest first."""
    shown = evidence(past)
    return [*_limit(past, shown), *_blocks(shown), *_answers(past), *ALWAYS, *_left_out(past)]


def _limit(past: Past, shown: Evidence) -> Iterator[str]:
    count = len(shown.all_violations)
    if count:
        yield (
            f"Our own pace ran into the account's limit {'once' if count == 1 else f'{count} times'}, at {_places(shown)}. About those "
            "times that is its limit, and to meet it brings a block as long as the nearest one on record; a provider may punish more."
        )
    else:
        yield "The account's limit was never met in this time."
    source, limit = ("the limit that the provider publishes", past.published) if past.published else ("the provider's usual limit", CLAIMED)
    known = f"It took up to {shown.proven} requests in a minute" if shown.proven else "It took no request"
    where = "elsewhere" if count else "here"
    if shown.proven < limit:
        yield f"{known}; {where} it is taken to let {limit:.0f} in, {source}. That is not proven."
    else:
        yield f"{known}; {where} it is taken to let so many in and no more, though it may take more."


def _places(shown: Evidence) -> str:
    """Where the limit was met, by horizon."""
    places = []
    for horizon, some in shown.violations.items():
        if some:
            least, most = min(each.most for each in some), max(each.most for each in some)
            counts = f"{least}" if least == most else f"{least} to {most}"
            places.append(f"{counts} requests in {'a minute' if horizon == MINUTE else f'{horizon:.0f} s'}")
    return " and ".join(places)


def _blocks(shown: Evidence) -> Iterator[str]:
    for kind, some in shown.blocks_by_kind.items():
        if not some:
            continue
        what = "The edge shut the account out without our doing" if kind is RefusalClass.EDGE else kind.sentence.rstrip(".")
        times = "once" if len(some) == 1 else f"{len(some)} times"
        yield f"{what}: {times}, first {_start(some[0])}. So it is here, whatever is sent before."
    if shown.blocks or shown.all_violations:
        yield MIDWAY


def _start(block: Block) -> str:
    return f"{datetime.fromtimestamp(block.start, UTC):%-d %b %H:%M} UTC"


def _answers(past: Past) -> Iterator[str]:
    count = sum(each.for_step and each.outcome is not Outcome.REFUSED for each in past.sent)
    if count:
        yield (
            f"Latencies, failures, unusable replies and full models are drawn from {count:,} requests on record: those of the same model "
            "about the same time. A model that was never asked answers as the others did."
        )
    else:
        yield "No request came through in this time: answers are taken to be usable, after 2 to 6 s."


def _left_out(past: Past) -> Iterator[str]:
    if past.elsewhere:
        yield f"Only the account {past.account} is played; {past.elsewhere:,} requests went to other accounts."
    if past.changes:
        yield "Settings were changed within this time; here one set of them holds from beginning to end."
    if past.operator_pauses:
        yield "Pauses by operators are left out."
