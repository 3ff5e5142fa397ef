"""The demo's pages, and what actions do to them."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from agents.devtools.demo_traffic.sites import SITES, Site, Task, page
from agents.devtools.demo_traffic.traffic import Browser, act, find
from agents.tests.rows import rows

FILMS = SITES[0]
PATHS = ("/", "/login", "/register", "/contact", "/search", "/items/0", "/items/99", "/welcome", "/elsewhere")


def opened(path: str = "/", site: Site = FILMS) -> Browser:
    task = Task("t", "search", site, "Search for the film 'Heat'", f"http://localhost:{site.port}/?seed=58", 58)
    return Browser(task, f"http://localhost:{site.port}{path}?seed=58")


def xpath(value: str) -> dict[str, object]:
    return {"selector": {"type": "xpathSelector", "value": value}}


@rows("site", SITES)
@rows("path", PATHS)
def test_every_page_parses_and_its_links_carry_the_seed(site: Site, path: str) -> None:
    tree = html.document_fromstring(opened(path, site).html)
    links = [link.get("href", "") for link in tree.iter("a")]
    assert len(links) >= 4
    assert all(parse_qs(urlsplit(link).query)["seed"] == ["58"] for link in links)
    assert len(tree.xpath("//input[@type='hidden'][@name='seed'][@value='58']")) == len(list(tree.iter("form")))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_a_page_is_the_same_at_a_seed_and_differs_at_others() -> None:
    url = "http://localhost:8000/?seed=1"
    assert page(FILMS, 1, url, logged_in=False) == page(FILMS, 1, url, logged_in=False)
    assert len({page(FILMS, seed, url, logged_in=False) for seed in range(1, 30)}) == 29


def test_searching_finds_the_item_that_was_typed() -> None:
    typed = act(opened(), "browser.input", {**xpath("//input[@name='query']"), "text": "Heat"})
    results_page = act(typed, "browser.click", xpath("//form[@action='/search']//button"))
    assert parse_qs(urlsplit(results_page.url).query) == {"query": ["Heat"], "seed": ["58"]}
    assert [heading.text for heading in html.document_fromstring(results_page.html).iter("h3")] == ["Heat"]


def test_logging_in_by_the_form_changes_the_navigation_and_logging_out_changes_it_back() -> None:
    browser = act(opened(), "browser.click", xpath("//a[contains(@href, '/login')]"))
    browser = act(browser, "browser.input", {**xpath("//input[@type='password']"), "text": "<password>"})
    browser = act(browser, "browser.click", xpath("//form[@action='/welcome']//button"))
    assert browser.logged_in
    assert "Log out" in browser.html
    browser = act(browser, "browser.click", {"selector": {"type": "tagContainsSelector", "value": "Log out", "case_sensitive": True}})
    assert not browser.logged_in
    assert "Log out" not in browser.html


def test_a_selector_without_a_match_is_an_error_and_changes_nothing() -> None:
    done = act(opened(), "browser.click", xpath("//button[@id='gone']"))
    assert done.error
    assert replace(done, error="") == opened()


def test_an_attribute_selector_finds_by_the_exact_value() -> None:
    element = find(opened().html, {"type": "attributeValueSelector", "attribute": "id", "value": "q-58"})
    assert element is not None
    assert element.get("name") == "query"


@pytest.mark.parametrize(
    "selector", [None, "text", {}, {"type": "xpathSelector", "value": "//["}, {"type": "xpathSelector", "value": "count(//a)"}]
)
def test_an_invalid_selector_finds_nothing(selector: object) -> None:
    assert find(opened().html, selector) is None
