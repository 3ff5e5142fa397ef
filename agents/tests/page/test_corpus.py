"""What the page model must read of many small pages, in a real browser; `corpus/__init__.py` says how a page states it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import Route

from agents.contract.selectors import for_playwright
from agents.page import read
from agents.tests.page.corpus.judging import Check, checks, marked
from agents.tests.page.corpus.render import FOLDER, PAGES, rendered

SEEDS = (0, 1, 2)
SITE = "http://corpus.example"
KNOWN = FOLDER / "known_misses.txt"


def seen(tab: Tab, path: Path, seed: int) -> dict[str, Any]:
    """A page when its script has run and what it says was pressed, and what is expected of it."""
    tab.goto(f"{SITE}/{path.stem}?seed={seed}")
    found: dict[str, Any] = tab.evaluate("made()")
    assert not found["unreached"], f"{path.stem}, seed {seed}: nobody can press what is expected: {found['unreached']}"
    assert not found["unexpected"], f"{path.stem}, seed {seed}: nothing is expected of {found['unexpected']}"
    return found


def judged(tab: Tab, path: Path, seed: int) -> Iterator[Check]:
    found, url = seen(tab, path, seed), tab.url
    page, with_marks = read(found["html"], url), read(found["with_marks"], url)
    assert page.elements == with_marks.elements
    yield from checks(page, with_marks, found["expectations"])
    listed = list(marked(page, with_marks))
    selectors = [for_playwright(page.selectors(element)[0]) for _, element in listed]
    picked = tab.evaluate("picked", selectors) if selectors else []
    for (mark, _), selector, one in zip(listed, selectors, picked, strict=True):
        if what := found["expectations"][mark].get("expect"):
            yield Check("selected", what, one == mark, selector)


def serve(tab: Tab) -> None:
    """The corpus as a site; what its pages would load is not there."""

    def answer(route: Route) -> None:
        at = urlsplit(route.request.url)
        path = FOLDER / "pages" / f"{at.path[1:]}.html"
        if path.exists():
            route.fulfill(body=rendered(path, int(at.query.removeprefix("seed="))), content_type="text/html")
        else:
            route.abort()

    tab.route("**/*", answer)
    tab.set_viewport_size({"width": 1_200, "height": 3_000})


def score(tab: Tab, paths: Sequence[Path] = PAGES, seeds: Sequence[int] = SEEDS) -> tuple[dict[str, tuple[int, int]], dict[str, list[str]]]:
    """By point, how many checks passed and how many there are; and what was missed, with what was found instead."""
    serve(tab)
    passed, count, missed = Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    for path, seed in product(paths, seeds):
        for check in judged(tab, path, seed):
            count[check.point] += 1
            passed[check.point] += check.passed
            if not check.passed:
                missed[f"{path.stem} · {check.point} · {check.what}"].append(f"seed {seed}: {check.found}")
    return {point: (passed[point], count[point]) for point in count}, missed


def test_pages_are_read_as_they_are_meant(page: Tab) -> None:
    points, missed = score(page)
    known = set(KNOWN.read_text().splitlines())
    new = [f"{what} ({'; '.join(found)})" for what, found in missed.items() if what not in known]
    mended = sorted(known - missed.keys())
    if new or mended:
        pytest.fail("\n".join([f"{points}", "Missed:", *new, "No longer missed, to be taken off the list:", *mended]), pytrace=False)
