"""How long it takes to read a page, beside a bare parse of it: best of several, in one process."""

import argparse

from lxml import html

from agents.page import read
from bench.measure import BEST_OF, best, line
from minerpanel.serve import collect_rarely

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


def main(_: argparse.Namespace) -> int:
    collect_rarely()  # as the server does
    print(f"\nReading a page, best of {BEST_OF}, ms of processor time")
    print(line("", ("bare parse", "elements", "records", "× bare"), 12))
    for name, page in PAGES.items():
        works = (html.fromstring, lambda page: read(page, "").elements, lambda page: read(page, "").records)
        bare, elements, whole = (best(work, page) for work in works)
        cells = (f"{each:.1f}" for each in (bare, elements, whole, whole / bare))
        print(line(f"{name}, {len(page) // 1000} kB", cells, 12))
    return 0
