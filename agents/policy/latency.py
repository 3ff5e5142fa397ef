"""How long a model's next answer takes, how likely one comes, and how long to wait for it before the next model is tried."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

# Before a model's first sample.
UNKNOWN = 8.0
# No answer of a few hundred tokens comes sooner for long.
FLOOR = 1.0
# Steps are admitted even where most answers are slower than this: no attempt for an hour would be worse.
CEILING = 15.0
QUANTILE = 0.9
# With few samples the slow answers are underestimated.
FEW, FEW_FACTOR = 5, 1.5
# A model's prior is this share of the success rate of the one configured before it, with the weight of FEW attempts. So three
# failures in a row put an untried model first; after twenty answers five failures do, if the next model answered in their place.
EACH_PLACE = 0.7
# Until the end of an attempt is on record and the next one is decided, in seconds. A busy database takes that long.
HANDOVER = 0.5
KEPT_SAMPLES, KEPT_MODELS = 20, 20
FORGOTTEN_AFTER = 3600.0

# A step rarely has time for more than so many models after this one.
MOST_NEXT = 2
ROUNDING = 1e-9

# When an attempt ended, how long it took, and whether its answer was usable; None: it was cut off, and might have been answered later.
Sample = tuple[float, float, bool | None]
# By model, newest last. A JSON value.
Samples = Mapping[str, Sequence[Sample]]
# When usable answers came, in seconds, and the share of all attempts that had one by then.
Curve = list[tuple[float, float]]


def noted(samples: Samples, model: str, now: float, seconds: float, is_usable: bool | None) -> dict[str, list[Sample]]:
    """The samples with one more."""
    fresh = {name: list(recent(samples, name, now)) for name in samples}
    fresh[model] = [*fresh.pop(model, []), (round(now, 3), round(seconds, 3), is_usable)][-KEPT_SAMPLES:]
    nonempty = [(name, some) for name, some in fresh.items() if some]
    return dict(nonempty[-KEPT_MODELS:])


def recent(samples: Samples, model: str, now: float) -> Sequence[Sample]:
    return [sample for sample in samples.get(model, ()) if now - sample[0] < FORGOTTEN_AFTER]


def expected(some: Sequence[Sample]) -> float:
    """Seconds in which nine of ten usable answers come."""
    timed = [(seconds, is_usable) for _, seconds, is_usable in some if is_usable is not False]
    if not timed:
        return UNKNOWN
    steps = _steps(timed)
    most = steps[-1][1] if steps else inf
    high = next((seconds for seconds, share, _ in steps if share >= QUANTILE * most - ROUNDING), CEILING)
    return min(max(high * (FEW_FACTOR if len(timed) < FEW else 1.0), FLOOR), CEILING)


def limit(some: Sequence[Sample], then: Sequence[Sequence[Sample]], seconds: float, wait: float) -> float:
    """How long an attempt may last of the `seconds` that are left, so that it or one of the next models most likely answers in time.

    `then`: the samples of the models that may be tried next, in order; `wait`: expected seconds until a slot for one. Of equally good
    limits the longest, since another attempt costs a slot.
    """
    own, others = _curve(some), [_curve(next_samples) for next_samples in then[:MOST_NEXT]]
    best, longest = _share(own, seconds), seconds
    for need, share in _in_turn(others, wait):
        # The next attempt is not admitted with less time than its model is expected to take.
        left = seconds - wait - HANDOVER - max(need, expected(then[0]))
        first = _share(own, left)
        either = first + (1 - first) * share
        if left > 0 and either > best + ROUNDING:
            best, longest = either, left
    return longest


def _in_turn(curves: Sequence[Curve], wait: float) -> Curve:
    """The least seconds in which models that are tried in turn answer with each chance, each given up at the best moment for that."""
    if not curves:
        return []
    steps = list(curves[0])
    for more, then in _in_turn(curves[1:], wait):
        steps += [(seconds + wait + HANDOVER + more, share + (1 - share) * then) for seconds, share in curves[0]]
    best, kept = 0.0, Curve()
    for seconds, share in sorted(steps):
        if share > best + ROUNDING:
            best = share
            kept.append((seconds, share))
    return kept


def _curve(some: Sequence[Sample]) -> Curve:
    """The samples', with one imagined answer at the expected time and one that never comes.

    Later than any attempt was under way, answers are taken to come as those did that came after half of that time, twice as late.
    Otherwise a model whose attempts are cut off early would never show that it answers later.
    """
    outcomes = [*((seconds, is_usable) for _, seconds, is_usable in some), (UNKNOWN, True)]
    half = max(seconds for seconds, _ in outcomes) / 2
    ended = _steps([*outcomes, (inf, False)])[:-1]
    _, before, running = [(0.0, 0.0, 1.0), *(step for step in ended if step[0] <= half)][-1]
    _, answered, left = ended[-1]
    later = [(2 * seconds, answered + left * (share - before) / running) for seconds, share, _ in ended if seconds > half and some]
    return [*((seconds, share) for seconds, share, _ in ended), *later]


def _steps(outcomes: Iterable[tuple[float, bool | None]]) -> list[tuple[float, float, float]]:
    """When attempts ended by themselves, and the shares of all that had answered and that went on after that.

    One that was cut off is taken to go on as those did that were longer under way (the estimate of Aalen and Johansen).
    """
    running, answered, steps = 1.0, 0.0, list[tuple[float, float, float]]()
    by_time = sorted(outcomes, key=lambda outcome: (outcome[0], outcome[1] is None))
    for rank, (seconds, is_usable) in enumerate(by_time):
        if is_usable is not None:
            part = running / (len(by_time) - rank)
            running, answered = running - part, answered + part * is_usable
            steps.append((seconds, answered, running))
    return steps


def _share(curve: Curve, seconds: float) -> float:
    return max((share for at, share in curve if at <= seconds), default=0.0)


def ordered(samples: Samples, models: Sequence[str], now: float, seconds: float = inf) -> tuple[str, ...]:
    """By the share of attempts with a usable answer within `seconds`; the configured order of `models` is the prior."""

    def share(place: int) -> float:
        some = recent(samples, models[place], now)
        usable = sum(bool(is_usable) and lasted <= seconds for _, lasted, is_usable in some)
        return (usable + FEW * EACH_PLACE**place) / (len(some) + FEW)

    return tuple(models[place] for place in sorted(range(len(models)), key=lambda place: -share(place)))
