"""How long an account or a model is not used where the provider states no time. Durations are seconds, times Unix seconds."""

from collections.abc import Sequence

# Jitter only lengthens pauses: a request that is sent too early can restart a ban.
JITTER = 0.05


def rung(ladder: tuple[float, ...], longest: float, strike: int) -> float:
    """For the strike-th refusal in a row, from 1: the ladder's, then doubling up to `longest`, but never below the last one."""
    if strike <= len(ladder):
        return ladder[strike - 1]
    doubled = ladder[-1] * 2.0 ** min(strike - len(ladder), 30)
    return min(doubled, max(longest, ladder[-1]))


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
    kept = tuple(cooldown for cooldown in cooldowns if cooldown[0] != model and now < cooldown[1] + COOLDOWN_FORGOTTEN)
    return (*kept, (model, until, times))[-MOST_MODELS:]


def warmed(cooldowns: tuple[Cooldown, ...], model: str) -> tuple[Cooldown, ...]:
    return tuple(cooldown for cooldown in cooldowns if cooldown[0] != model)


def ready(cooldowns: tuple[Cooldown, ...], models: Sequence[str], now: float) -> tuple[str, ...]:
    """Without those in cooldown, in order; where all are, the one that is ready first. A clock set back ends a cooldown."""
    until = {model: end for model, end, _ in cooldowns if now < end <= now + LONGEST_COOLDOWN * (1 + COOLDOWN_JITTER)}
    able = tuple(model for model in models if model not in until)
    return able or tuple(sorted(models, key=lambda model: until[model])[:1])
