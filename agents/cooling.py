"""Models that are left alone for a moment, since they are full or not listed. The account's pace has no part in it."""

from __future__ import annotations

from collections.abc import Sequence

# (model, until, times in a row): Unix seconds.
Cooling = tuple[str, float, int]
FIRST, LONGEST, JITTER = 15.0, 120.0, 0.5
MOST_MODELS = 20
# A cooling that ended this long ago is forgotten.
FORGOTTEN = 300.0


def cooled(cooling: tuple[Cooling, ...], model: str, now: float, dice: float) -> tuple[Cooling, ...]:
    """`model` turned a request down: leave it alone for a moment, longer each time in a row. `dice` is from 0 to 1."""
    times = 1 + next((times for name, until, times in cooling if name == model and now < until + FORGOTTEN), 0)
    until = now + min(FIRST * 2 ** min(times - 1, 10), LONGEST) * (1 + JITTER * dice)
    kept = tuple(each for each in cooling if each[0] != model and now < each[1] + FORGOTTEN)
    return (*kept, (model, until, times))[-MOST_MODELS:]


def warmed(cooling: tuple[Cooling, ...], model: str) -> tuple[Cooling, ...]:
    """`model` took a request."""
    return tuple(each for each in cooling if each[0] != model)


def ready(cooling: tuple[Cooling, ...], models: Sequence[str], now: float) -> tuple[str, ...]:
    """`models` without those that cool, in order; where all of them cool, the one that is done first. A clock set back ends a cooling."""
    until = {model: each for model, each, _ in cooling if now < each <= now + LONGEST * (1 + JITTER)}
    able = tuple(model for model in models if model not in until)
    return able or tuple(sorted(models, key=lambda model: until[model])[:1])
