"""Every page in every width: by axe-core, the rules of WCAG 2.2 AA and its best practices; by the browser, which may complain of nothing."""

import re
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from django.urls import get_resolver
from playwright.sync_api import Page, expect

from minerpanel.tests.processes import wait_until
from minerpanel.tests.visitors import FITS, Panel, Visitor
from monitoring.tests.web.test_access import API, routes

AXE = Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js"
# Arguments of routes; a route with another kind of argument needs a sample here.
SAMPLES = {"<int:pk>": "1", "<int:account>": "1", "<int:number>": "1", "<str:kind>": "settings"}
# A third party's page within ours: Swagger UI.
FOREIGN = {"account/tokens/api/"}
WIDTHS = (390, 768, 1440, 2560)
# What a theme changes are colours, and what a width changes is the layout: axe checks each once, in `make test` one of both in turn.
LOOKS: list[tuple[int, Literal["light", "dark"]]] = [(1440, "light"), (390, "dark")]
# So that nothing lies below a bar that stays in sight: a person would scroll.
HIGH = 5_000
# `preload` reads all stylesheets again, for rules on media alone, of which there are none.
FIND = """async () => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    const found = await axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        rules: {"target-size": {enabled: true}},
        preload: false,
        resultTypes: ["violations"],
    });
    return found.violations.flatMap((fault) => fault.nodes.map((node) => `${fault.id}: ${node.target} ${node.failureSummary}`));
}"""


def addresses() -> list[str]:
    """Of every route of the panel, with samples for its arguments."""
    listed = [route for route in routes(get_resolver().url_patterns) if not route.startswith(API) and route not in FOREIGN]
    return ["/" + re.sub(r"<[^>]+>", lambda match: SAMPLES[match[0]], route) for route in listed]


def page_at(page: Page, address: str) -> str:
    """The path of the page that a visit gets; empty if it gets an action, a part of a page, a file or an answer for programs."""
    answer = page.request.get(address)
    assert answer.status in (200, 401, 403, 404, 405), address
    return urlsplit(answer.url).path if answer.status == 200 and "<html" in answer.text() else ""


def faults(page: Page) -> list[str]:
    """Axe's findings on the current page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    result: list[Any] = page.evaluate(FIND)
    return [str(fault) for fault in result]


@pytest.mark.parametrize("views", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_no_page_has_a_fault_that_axe_finds_makes_the_browser_complain_or_scrolls_sideways(
    views: int, admin: Visitor, panel: Panel
) -> None:
    page, listed = admin.page, []
    pages = {page_at(page, panel.url + address) for address in addresses()} - {""}
    assert pages > {"/", "/tasks/1/", "/settings/", "/rate-limit/1/pause/"}
    for number, address in enumerate(sorted(pages)):
        page.goto(panel.url + address)
        if page.locator("[hx-trigger^=tick]").count():
            with page.expect_event("requestfinished"):
                page.evaluate("document.body.dispatchEvent(new CustomEvent('tick'))")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            it_fits(page, f"{address} at {width}")
        for width, theme in LOOKS if views == len(LOOKS) else [LOOKS[number % len(LOOKS)]]:
            page.set_viewport_size({"width": width, "height": HIGH})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            it_fits(page, f"{address} at {width}")
            listed += [f"{address} {width} {theme} {fault}" for fault in faults(page)]
    assert not listed, "\n".join(listed)
    assert admin.faults == []


def it_fits(page: Page, where: str) -> None:
    """Charts follow a new width a moment later."""
    wait_until(partial(page.evaluate, FITS), f"{where} px it scrolls sideways")


def test_neither_have_the_pages_outside_the_panel_and_the_shortcuts(admin: Visitor, panel: Panel) -> None:
    page, listed = admin.page, []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.goto(f"{panel.url}/nothing-here/")
        listed += faults(page)
        page.goto(f"{panel.url}/audit/")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        listed += faults(page)
    page.context.clear_cookies()
    page.goto(panel.url)
    listed += faults(page)
    assert not listed, "\n".join(listed)
