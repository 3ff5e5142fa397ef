"""What is known of an account's limit and of its blocks, from what, and the pace that follows from it, in sentences."""

from typing import NamedTuple

from agents.common.text import length
from agents.policy import belief
from agents.policy.blocks import Blocks
from agents.policy.gate import EDGE, Gate, Limits
from agents.policy.pacing import Pace

# What a request does to a block, by whether it makes it longer; in a sentence of its own, and after "n probes were refused, and".
EFFECTS = {
    True: ("Requests most likely make blocks longer.", "{} most likely made it longer"),
    False: ("Requests do not seem to make blocks longer.", "requests do not seem to make blocks longer"),
    None: ("It is not clear yet whether requests make blocks longer.", "it is not clear yet whether that made it longer"),
}
# Between these probabilities it is not clear.
UNLIKELY, LIKELY = 0.2, 0.5


class Sentence(NamedTuple):
    """With `at`, in Unix seconds, a time stands between `text` and `after`: the time itself if it is ahead, else how long ago it was."""

    text: str
    at: float = 0.0
    after: str = ""
    is_ahead: bool = False


def sentences(gate: Gate, limits: Limits, now: float) -> list[Sentence]:
    """During a block the automatic pace is left out: nothing is sent."""
    known = _limit(gate.pace, now)
    if not limits.is_auto:
        known_and_pace = [Sentence(f"The pace is fixed: {_spaced(limits)}."), known]
    else:
        known_and_pace = [known] if gate.strikes else [known, Sentence(_pace(gate, limits, now))]
    return [_block(gate, limits, now), *known_and_pace] if gate.strikes and gate.cause == EDGE else known_and_pace


def shortest(gate: Gate, now: float) -> str:
    return f"Limit most likely {_band(gate.pace, now)}" if gate.pace.is_known else "Limit not known yet"


def _band(pace: Pace, now: float) -> str:
    low, middle, high = belief.band(pace.belief, now)
    return f"{middle:g} a minute" + (f" ({low:g}–{high:g})" if low < high else "")


def _limit(pace: Pace, now: float) -> Sentence:
    if not pace.is_known:
        return Sentence("Nothing is known of the limit yet.")
    text = f"The account most likely allows {_band(pace, now)}, by {pace.source.sentence}"
    more = f" The provider publishes {pace.published:g} a minute." if pace.published else ""
    more += f" Others use about {pace.others:.0f} a minute beside us." if pace.others else ""
    return Sentence(f"{text}; last confirmed", pace.confirmed_at, f".{more}") if pace.confirmed_at else Sentence(f"{text}.{more}")


def _spaced(limits: Limits) -> str:
    return f"one every {limits.spacing:g} s" if limits.spacing else "no spacing"


def _pace(gate: Gate, limits: Limits, now: float) -> str:
    """The automatic one."""
    single = " One request at a time is sent until one is accepted." if gate.is_single(limits) else ""
    if not gate.pace.is_known:
        return f"Until then the spacing applies: {_spaced(limits)}.{single}"
    blocks, level = gate.pace.blocks, gate.pace.level(now, limits.risk.weight)
    seen = f"{blocks.measured} {'was' if blocks.measured == 1 else 'were'}" if blocks.measured else "none was"
    cost = f"a block would cost about {length(blocks.cost)} ({seen} seen to end)"
    return f"The pace is {level:g} a minute: the risk is set to {limits.risk.value}, and {cost}. {_effect(blocks)[0]}{single}"


def _block(gate: Gate, limits: Limits, now: float) -> Sentence:
    hits = gate.block.hits
    if gate.paused_at <= gate.blocked_at:
        text = "No probe was sent during this block yet"
    elif not limits.is_auto or hits > 1:
        # Under a fixed pace the strikes that are remembered from the block before are among the hits.
        many = f"{hits} probes" if limits.is_auto else "Probes"
        text = f"{many} during this block were refused, and {_effect(gate.pace.blocks)[1].format('each')}"
    else:
        text = f"1 probe during this block was refused, and {_effect(gate.pace.blocks)[1].format('it')}"
    if now < gate.paused_until:
        return Sentence(f"{text}: next one at", gate.paused_until, f" ({gate.pause_source.sentence}).", is_ahead=True)
    return Sentence(f"{text}: the next request is one.")


def _effect(blocks: Blocks) -> tuple[str, str]:
    is_unclear = UNLIKELY < blocks.lengthening < LIKELY
    return EFFECTS[None if is_unclear else blocks.lengthening >= LIKELY]
