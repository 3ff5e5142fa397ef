"""What the benchmarks share: a bare application, cases that take turns, percentiles, ratios, and the lines of a table."""

import statistics
import time
import timeit
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

BEST_OF = 15


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The least that the same server can do: it reads the request and answers 11 bytes."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "11")])
    return [b"hello world"]


def in_turn(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round by case. Cases take turns, so that a slow moment of the machine slows all of them; each round begins
    with another one, since every write finds what the one before it left."""
    names, seconds = list(works), {name: list[float]() for name in works}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = time.perf_counter()
            works[name]()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def percentile(values: Sequence[float], percent: int) -> float:
    """Of at least two values; the only one of one, 0 of none."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def ratio(own: float, other: float) -> str:
    return f"{own / other:.2f}" if other else "–"


def line(name: str, cells: Iterable[object], width: int = 10, name_width: int = 44) -> str:
    return f"{name:{name_width}}" + "".join(f"{cell:>{width}}" for cell in cells)


def show_times(seconds: Mapping[str, Sequence[float]], bare: str, most_ms: float | None = None) -> None:
    """Prints a line a case. Ratios are those of medians to the first case, which `bare` names; `most_ms`: promised for medians."""
    print(line("", ("median", "p95", "max", f"× {bare}")))
    first = statistics.median(next(iter(seconds.values())))
    for name, some in seconds.items():
        median = statistics.median(some)
        cells = [f"{1000 * each:.3f}ms" for each in (median, percentile(some, 95), max(some))]
        missed = f"  MISSED: above {most_ms:g} ms" if most_ms is not None and 1000 * median > most_ms else ""
        print(line(name, [*cells, ratio(median, first)]) + missed)


def best(work: Callable[[str], object], page: str) -> float:
    """The best of BEST_OF, in ms of the processor's time, so that a busy machine matters less."""
    return 1000 * min(timeit.repeat(lambda: work(page), timer=time.process_time, repeat=BEST_OF, number=1))
