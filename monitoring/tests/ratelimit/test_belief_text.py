"""Sentences about the estimated limit and past blocks."""

from dataclasses import replace

from agents.policy.belief import LIMITS, PRIOR_OF_COUNTERS, Belief
from agents.policy.blocks import KINDS, Blocks
from agents.policy.gate import Gate, Limits
from agents.policy.modes import Pacing, Risk
from agents.policy.pacing import Pace
from agents.policy.reasons import PaceSource, PauseSource
from agents.tests.rows import rows
from monitoring.ratelimit.belief_text import sentences, short_limit
from monitoring.tests.records import NOW

AT = NOW.timestamp()
FIXED, AUTO = Limits(), Limits(pacing=Pacing.AUTO)


def belief(published: float = 0.0, **parts: float) -> Belief:
    """`parts`: the probability of a limit, by its name with an `l`."""
    return Belief(tuple(burst * parts.get(f"l{limit:g}", 0.0) for burst in PRIOR_OF_COUNTERS for limit in LIMITS), AT, stated=published)


def blocks(measured: int = 1, **parts: float) -> Blocks:
    """Blocks of a minute; `parts`: the probabilities of the effects of a hit."""
    return Blocks(tuple(parts.get(hit.value, 0.0) if length == 60.0 else 0.0 for hit, length in KINDS), measured)


SURE, UNSURE = belief(l18=1.0), belief(l16=0.2, l18=0.5, l22=0.3)
REFUSED = Pace(belief=UNSURE, source=PaceSource.REFUSED, confirmed_at=AT - 720, used=0.0)
OPEN = Gate(pace=REFUSED, succeeded_at=AT - 9)
BLOCKED = Gate(pace=REFUSED, strikes=1, cause="edge", blocked_at=AT - 60, paused_at=AT - 60, paused_until=AT + 90, succeeded_at=AT - 61)
ONCE = replace(BLOCKED, strikes=2, paused_at=AT - 5, pause_source=PauseSource.LEARNED)
TWICE = replace(ONCE, strikes=3)
UNKNOWN_LIMIT = "The limit is not known yet."
FIXED_PACE = "The pace is fixed: one every 5 s."
ALLOWS = "The account most likely allows 18 a minute (16–22), by"
BY_REFUSAL = f"{ALLOWS} a refusal, and what was accepted before and after it; last confirmed -12."
WAS, WERE = "during this block was", "during this block were refused"
NEXT = "next one at +1.5 (learned from earlier blocks)."
NOT_LONGER, UNCLEAR = "Requests do not seem to make blocks longer.", "It is not clear yet whether requests make blocks longer."
SINGLE = "One request at a time is sent until one is accepted."


def pace(level: int, risk: str, seen: str, effect: str) -> str:
    return f"The pace is {level} a minute: the risk is set to {risk}, and a block would cost about 1 min ({seen} seen to end). {effect}"


def with_blocks(gate: Gate, blocks: Blocks) -> Gate:
    return replace(gate, pace=replace(gate.pace, blocks=blocks, own_blocks=blocks))


def with_pace(**fields: object) -> Gate:
    return replace(OPEN, pace=replace(REFUSED, **fields))  # type: ignore[arg-type]


def sentence_texts(gate: Gate, limits: Limits) -> list[str]:
    """The sentences, with their times in minutes from now."""
    return [f"{row.text} {(row.at - AT) / 60:+g}{row.after}" if row.at else row.text for row in sentences(gate, limits, AT)]


@rows(
    ("gate", "limits", "expected"),
    [
        (Gate(), FIXED, [FIXED_PACE, UNKNOWN_LIMIT]),
        (Gate(), Limits(spacing=0), ["The pace is fixed: no spacing.", UNKNOWN_LIMIT]),
        (Gate(), AUTO, [UNKNOWN_LIMIT, f"Until then the spacing applies: one every 5 s. {SINGLE}"]),
        (Gate(succeeded_at=AT), replace(AUTO, spacing=0), [UNKNOWN_LIMIT, "Until then the spacing applies: no spacing."]),
        (OPEN, FIXED, [FIXED_PACE, BY_REFUSAL]),
        (with_pace(belief=SURE), FIXED, [FIXED_PACE, BY_REFUSAL.replace(" (16–22)", "")]),
        (
            with_pace(belief=replace(UNSURE, stated=60.0), source=PaceSource.PUBLISHED, confirmed_at=0.0),
            FIXED,
            [FIXED_PACE, f"{ALLOWS} the published limit and what was accepted so far. The provider publishes 60 a minute."],
        ),
        (
            with_blocks(with_pace(source=PaceSource.USUAL, confirmed_at=0.0), blocks(0, nothing=0.7, doubles=0.3)),
            AUTO,
            [f"{ALLOWS} the usual 60 requests a minute and what was accepted so far.", pace(16, "balanced", "none was", UNCLEAR)],
        ),
        (
            with_blocks(with_pace(source=PaceSource.ACCEPTED, used=200.0), blocks(1, nothing=0.9, doubles=0.1)),
            replace(AUTO, risk=Risk.EAGER),
            [f"{ALLOWS} what was accepted without a refusal; last confirmed -12.", pace(18, "eager", "1 was", NOT_LONGER)],
        ),
        (
            with_blocks(replace(OPEN, succeeded_at=0.0), blocks(3, nothing=0.2, doubles=0.8)),
            AUTO,
            [BY_REFUSAL, f"{pace(16, 'balanced', '3 were', 'Requests most likely make blocks longer.')} {SINGLE}"],
        ),
        (BLOCKED, AUTO, ["No probe was sent during this block yet: next one at +1.5 (our own backoff).", BY_REFUSAL]),
        (
            with_blocks(ONCE, blocks(0, doubles=1.0)),
            AUTO,
            [f"1 probe {WAS} refused, and it most likely made it longer: {NEXT}", BY_REFUSAL],
        ),
        (with_blocks(TWICE, blocks(0, doubles=1.0)), AUTO, [f"2 probes {WERE}, and each most likely made it longer: {NEXT}", BY_REFUSAL]),
        (
            with_blocks(replace(TWICE, paused_until=AT), blocks(0, nothing=1.0)),
            AUTO,
            [f"2 probes {WERE}, and requests do not seem to make blocks longer: the next request is one.", BY_REFUSAL],
        ),
        (
            replace(TWICE, pace=Pace()),
            FIXED,
            [f"Probes {WERE}, and it is not clear yet whether that made it longer: {NEXT}", FIXED_PACE, UNKNOWN_LIMIT],
        ),
        (Gate(strikes=1, cause="auth", paused_until=AT + 60), AUTO, [UNKNOWN_LIMIT]),
    ],
)
def test_limit_and_pace_are_stated_with_their_source(gate: Gate, limits: Limits, expected: list[str]) -> None:
    assert sentence_texts(gate, limits) == expected


def test_the_shortest_form_is_the_limit_alone() -> None:
    assert short_limit(OPEN, AT) == "Limit most likely 18 a minute (16–22)"
    assert short_limit(Gate(), AT) == "Limit not known yet"
