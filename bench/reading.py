"""How long it takes to read a page, beside a bare parse of it: best of several, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable

from lxml import html

from agents.page import read

ROUNDS = 15
CARD = (
    '<div class="g{0}"><div><img src="/p{0}.jpg" alt="Film {0}"><div class="body p-4"><h3>Film {0}</h3><p>{1} <span>•</span> Drama</p>'
    "<div><svg><path d='M1'/></svg><span>4.{2}</span><span>({0} reviews)</span></div><div><span>Director</span><span>Ann {0}</span></div>"
    '<p>{3}</p><div><a href="/film/{0}?seed=4" class="inline-flex items-center whitespace-nowrap rounded-md px-4">View details</a>'
    '<button class="inline-flex">Add to watchlist</button></div></div></div></div>'
)
PAGES = {
    "400 cards": "".join(CARD.format(at, 1950 + at % 60, at % 10, "some words on it " * 40) for at in range(400)),
    "20,000 fields": "<input name=x class=y placeholder=z>" * 20_000,
    "15,000 rows": "<table>" + "<tr><td>Ann<td>1994<td><a href=/x>open</a>" * 15_000,
}


def main() -> None:
    """One line a page: a bare parse, its elements, its elements and records."""
    print(f"\nReading a page, best of {ROUNDS}, ms of processor time")
    print(f"{'':44}{'bare parse':>12}{'elements':>10}{'records':>10}{'× bare':>10}")
    for name, page in PAGES.items():
        bare, elements, whole = (best(work, page) for work in (html.fromstring, in_parts, in_whole))
        print(f"{f'{name}, {len(page) // 1000} kB':44}{bare:12.1f}{elements:10.1f}{whole:10.1f}{whole / bare:10.1f}")


def in_parts(page: str) -> object:
    return read(page, "").elements


def in_whole(page: str) -> object:
    return read(page, "").records


def best(work: Callable[[str], object], page: str) -> float:
    """The shortest of all rounds in ms; the processor's time, so that a busy machine matters less."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work(page)
        times.append(time.process_time() - started)
    return min(times) * 1000


if __name__ == "__main__":
    main()
