"""What the page model must read of many small pages, in a real browser; `corpus/__init__.py` says how a page states it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page as Tab

from agents.contract.selectors import for_playwright
from agents.page import read
from agents.tests.page.corpus.judging import Check, checks, marked
from agents.tests.page.corpus.render import FOLDER, PAGES, rendered

SEEDS = (0, 1, 2)
SITE = "http://corpus.example"
# Of the checks of each point, in percent.
LEAST = 98
KNOWN = FOLDER / "known_misses.txt"


# A frame for each seed of a page, as large as that nothing has to be scrolled to.
OPEN = """pages => Promise.all(pages.map(async (srcdoc) => {
    const frame = Object.assign(document.createElement("iframe"), { srcdoc, width: 1280, height: 3000 });
    const loaded = new Promise((resolve) => (frame.onload = resolve));
    document.body.append(frame);
    await loaded;
    return frame.contentWindow.made();
}))"""
PICKED = "selectors => selectors.map((some, at) => window[at].picked(some))"


def judged(tab: Tab, path: Path) -> Iterator[tuple[int, Check]]:
    """The checks of a page in the state that it is about, with each seed."""
    tab.evaluate("document.body.replaceChildren()")
    opened: list[dict[str, Any]] = tab.evaluate(OPEN, [rendered(path, seed) for seed in SEEDS])
    selectors = list[list[str]]()
    for seed, found in zip(SEEDS, opened, strict=True):
        assert not found["unreached"], f"{path.stem}, seed {seed}: nobody can press what is expected: {found['unreached']}"
        assert not found["unexpected"], f"{path.stem}, seed {seed}: nothing is expected of {found['unexpected']}"
        page, with_marks = (read(found[key], f"http://corpus.example/{path.stem}") for key in ("html", "with_marks"))
        assert page.elements == with_marks.elements
        found["listed"] = listed = list(marked(page, with_marks))
        selectors.append([for_playwright(page.selectors(element)[0]) for _, element in listed])
        yield from ((seed, check) for check in checks(page, with_marks, found["expectations"]))
    for seed, found, some, picked in zip(SEEDS, opened, selectors, tab.evaluate(PICKED, selectors), strict=True):
        for (mark, _), selector, one in zip(found["listed"], some, picked, strict=True):
            if what := found["expectations"][mark].get("expect"):
                yield seed, Check("selected", what, one == mark, selector)


def score(tab: Tab, paths: Sequence[Path] = PAGES) -> tuple[dict[str, tuple[int, int]], dict[str, list[str]]]:
    """By point, how many checks passed and how many there are; and what was missed, with what was found instead."""
    passed, count, missed = Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    tab.set_content("<body></body>")
    for path in paths:
        for seed, check in judged(tab, path):
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
    assert all(passed * 100 >= LEAST * count for passed, count in points.values()), points
