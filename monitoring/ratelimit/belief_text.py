"""Sentences about an account's likely limit and blocks, with the evidence, and about the resulting pace."""

from typing import NamedTuple

from agents.common.text import length
from agents.policy import belief
from agents.policy.blocks import Blocks
from agents.policy.gate import EDGE, Gate, Limits
from agents.policy.pacing import Pace

# The effect of requests on a block, by whether they make it longer: as a sentence, and after "n probes were refused, and".
EFFECTS = {
    True: ("Requests most likely make blocks longer.", "{} most likely made it longer"),
    False: ("Requests do not seem to make blocks longer.", "requests do not seem to make blocks longer"),
    None: ("It is not clear yet whether requests make blocks longer.", "it is not clear yet whether that made it longer"),
}
# Between these probabilities the effect is unclear.
UNLIKELY, LIKELY = 0.2, 0.5


class Sentence(NamedTuple):
    """With `at`, in Unix seconds, a time is shown between `text` and `after`: absolute if it is ahead, else relative."""

    text: str
    at: float = 0.0
    after: str = ""
    is_ahead: bool = False


def sentences(gate: Gate, limits: Limits, now: float) -> list[Sentence]:
    """All sentences about a gate. During a block without the automatic pace, as nothing is sent."""
    limit = _limit(gate.pace, now)
    if not limits.is_auto:
        limit_and_pace = [Sentence(f"The pace is fixed: {_spaced(limits)}."), limit]
    else:
        limit_and_pace = [limit] if gate.strikes else [limit, Sentence(_pace(gate, limits, now))]
    return [_block(gate, limits, now), *limit_and_pace] if gate.strikes and gate.cause == EDGE else limit_and_pace


def short_limit(gate: Gate, now: float) -> str:
    return f"Limit most likely {_limit_range(gate.pace, now)}" if gate.pace.has_evidence else "Limit not known yet"


def _limit_range(pace: Pace, now: float) -> str:
    low, middle, high = belief.quantiles(pace.belief, now)
    return f"{middle:g} a minute" + (f" ({low:g}–{high:g})" if low < high else "")


def _limit(pace: Pace, now: float) -> Sentence:
    if not pace.has_evidence:
        return Sentence("The limit is not known yet.")
    text = f"The account most likely allows {_limit_range(pace, now)}, by {pace.source.sentence}"
    more = f" The provider publishes {pace.published:g} a minute." if pace.published else ""
    more += f" Others use about {pace.others:.0f} a minute beside us." if pace.others else ""
    return Sentence(f"{text}; last confirmed", pace.confirmed_at, f".{more}") if pace.confirmed_at else Sentence(f"{text}.{more}")


def _spaced(limits: Limits) -> str:
    return f"one every {limits.spacing:g} s" if limits.spacing else "no spacing"


def _pace(gate: Gate, limits: Limits, now: float) -> str:
    """The automatic pace."""
    single = " One request at a time is sent until one is accepted." if gate.is_single(limits) else ""
    if not gate.pace.has_evidence:
        return f"Until then the spacing applies: {_spaced(limits)}.{single}"
    blocks, level = gate.pace.own_blocks, gate.pace.level(now, limits.risk.weight)
    seen = f"{blocks.measured} {'was' if blocks.measured == 1 else 'were'}" if blocks.measured else "none was"
    cost = f"a block would cost about {length(gate.pace.cost)} ({seen} seen to end)"
    return f"The pace is {level:g} a minute: the risk is set to {limits.risk.value}, and {cost}. {_effect(blocks)[0]}{single}"


def _block(gate: Gate, limits: Limits, now: float) -> Sentence:
    hits = gate.block.hits
    if gate.paused_at <= gate.blocked_at:
        text = "No probe was sent during this block yet"
    elif not limits.is_auto or hits > 1:
        # Under a fixed pace the hits include strikes from the previous block.
        many = f"{hits} probes" if limits.is_auto else "Probes"
        text = f"{many} during this block were refused, and {_effect(gate.pace.present_blocks)[1].format('each')}"
    else:
        text = f"1 probe during this block was refused, and {_effect(gate.pace.present_blocks)[1].format('it')}"
    if now < gate.paused_until:
        return Sentence(f"{text}: next one at", gate.paused_until, f" ({gate.pause_source.sentence}).", is_ahead=True)
    return Sentence(f"{text}: the next request is one.")


def _effect(blocks: Blocks) -> tuple[str, str]:
    is_unclear = UNLIKELY < blocks.lengthening < LIKELY
    return EFFECTS[None if is_unclear else blocks.lengthening >= LIKELY]
