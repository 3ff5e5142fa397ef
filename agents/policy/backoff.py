"""How long an account or a model is not used where the provider states no time. Durations are seconds, times Unix seconds."""

from collections.abc import Sequence

# Pauses are only ever stretched, never cut: a request that comes too early does harm.
JITTER = 0.05
# A block from outside may end at its own time, or only after a time without requests. First the pauses double, which ends one of a
# quarter of an hour or less either way; one that has lasted this long most likely has its own end.
DOUBLING_FOR, LONGEST_DOUBLED = 1800.0, 960.0
# From then on it is probed this often, or after a tenth of the time it has lasted; beyond two hours after half of it.
PATIENCE, PATIENT_PART = 300.0, 0.1
PATIENT_FOR, LATE_PART = 7200.0, 0.5
LONGEST = 86_400.0
# A stopped account is checked after this part of the time it has been stopped, but never more rarely than that, in seconds.
CHECK_PART, RAREST_CHECK = 0.5, 3600.0


def rung(ladder: tuple[float, ...], longest: float, strike: int) -> float:
    """For the strike-th refusal in a row, from 1: the ladder's, then doubling up to `longest`, but never below the last one."""
    if strike <= len(ladder):
        return ladder[strike - 1]
    doubled = ladder[-1] * 2.0 ** min(strike - len(ladder), 30)
    return min(doubled, max(longest, ladder[-1]))


def learned(ladder: tuple[float, ...], strike: int, lasted: float, last_pause: float, *, own_doing: bool) -> float:
    """As `rung`, for a block that has `lasted` so far, when a pause of `last_pause` ended the last one (0: none is remembered).

    If our own traffic caused the block, the pauses grow: each probe may start the ban anew. Otherwise it is probed at steady intervals
    after a while, unless longer pauses were needed before.
    """
    if own_doing:
        return rung(ladder, LONGEST, strike)
    most = LONGEST_DOUBLED if lasted < DOUBLING_FOR else max(PATIENCE, (PATIENT_PART if lasted < PATIENT_FOR else LATE_PART) * lasted)
    return min(rung(ladder, LONGEST, strike), max(most, 2.2 * last_pause))


def check(least: float, stopped_for: float) -> float:
    return max(least, min(CHECK_PART * stopped_for, RAREST_CHECK))


def stretched(pause: float, jitter: float) -> float:
    return pause * (1 + JITTER * jitter)


# (model, until, times in a row): Unix seconds.
Cooldown = tuple[str, float, int]
FIRST_COOLDOWN, LONGEST_COOLDOWN, COOLDOWN_JITTER = 15.0, 120.0, 0.5
MOST_MODELS = 20
# A cooldown that ended this long ago is forgotten.
COOLDOWN_FORGOTTEN = 300.0


def cooled(cooldowns: tuple[Cooldown, ...], model: str, now: float, jitter: float) -> tuple[Cooldown, ...]:
    times = 1 + next((times for name, until, times in cooldowns if name == model and now < until + COOLDOWN_FORGOTTEN), 0)
    until = now + min(FIRST_COOLDOWN * 2 ** min(times - 1, 10), LONGEST_COOLDOWN) * (1 + COOLDOWN_JITTER * jitter)
    kept = tuple(each for each in cooldowns if each[0] != model and now < each[1] + COOLDOWN_FORGOTTEN)
    return (*kept, (model, until, times))[-MOST_MODELS:]


def warmed(cooldowns: tuple[Cooldown, ...], model: str) -> tuple[Cooldown, ...]:
    return tuple(each for each in cooldowns if each[0] != model)


def ready(cooldowns: tuple[Cooldown, ...], models: Sequence[str], now: float) -> tuple[str, ...]:
    """Without those in cooldown, in order; where all are, the one that is ready first. A clock set back ends a cooldown."""
    until = {model: each for model, each, _ in cooldowns if now < each <= now + LONGEST_COOLDOWN * (1 + COOLDOWN_JITTER)}
    able = tuple(model for model in models if model not in until)
    return able or tuple(sorted(models, key=lambda model: until[model])[:1])
