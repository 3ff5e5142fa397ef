"""How long an account is left alone where nobody says for how long. Durations are seconds."""

from __future__ import annotations

# Pauses are only ever stretched, never cut: coming too early is what hurts.
JITTER = 0.05
# A block that came by itself may end at its own time, whatever we do, or only after a silence. First the silences double, which ends
# one of a quarter of an hour or less either way; one that has lasted this long most likely has its own time.
SILENT_FOR, LONGEST_SILENCE = 1800.0, 960.0
# From then on it is looked at this often, or after a tenth of the time it has lasted.
PATIENCE, PATIENT_PART = 300.0, 0.1
# A block of this length has outlived that hope: from then on after half of the time it has lasted.
PATIENT_FOR, LATE_PART = 7200.0, 0.5
LONGEST = 86_400.0
# A stopped account is looked at after this part of the time it has been stopped, but never more rarely than that, in seconds.
CHECK_PART, RAREST_CHECK = 0.5, 3600.0


def rung(ladder: tuple[float, ...], longest: float, strike: int) -> float:
    """The pause for the strike-th refusal in a row, from 1: the ladder's, then doubling up to `longest`, but never below the last one."""
    if strike <= len(ladder):
        return ladder[strike - 1]
    doubled = ladder[-1] * 2.0 ** min(strike - len(ladder), 30)
    return min(doubled, max(longest, ladder[-1]))


def learned(ladder: tuple[float, ...], strike: int, lasted: float, silence: float, *, own_doing: bool) -> float:
    """As `rung`, for a block that has `lasted` so far, when a pause of `silence` ended the last one (0: none is remembered).

    A block that we brought about gets longer and longer pauses: the ban may start anew at each probe, so it has to be outwaited.
    One that came without our doing is looked at steadily after a while, unless longer silences were needed before.
    """
    if own_doing:
        return rung(ladder, LONGEST, strike)
    most = LONGEST_SILENCE if lasted < SILENT_FOR else max(PATIENCE, (PATIENT_PART if lasted < PATIENT_FOR else LATE_PART) * lasted)
    return min(rung(ladder, LONGEST, strike), max(most, 2.2 * silence))


def check(least: float, stopped_for: float) -> float:
    """Until the next look at a stopped account: `least`, and longer the longer it has been stopped. Its operator's word comes sooner."""
    return max(least, min(CHECK_PART * stopped_for, RAREST_CHECK))


def stretched(pause: float, dice: float) -> float:
    """`pause` with jitter; `dice` is from 0 to 1."""
    return pause * (1 + JITTER * dice)
