"""A site that was seen in steps at one seed: one-shot tasks of other kinds are planned from its map at others."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from lxml import etree

from agents.contract.protocol import Form, PastAction, Step
from agents.contract.selectors import Selector
from agents.page import read
from agents.template import plan
from agents.template.sites.site_facts import Item, SiteFacts
from agents.template.sites.site_map import MOST_HTML, lists, reduced, route_of, shown_by
from agents.template.sites.site_plans import by_facts
from agents.tests.mini_site import MiniSite
from agents.tests.paper_browser import PaperBrowser
from agents.tests.template.test_tasks_in_chromium import JOBS

TAUGHT, SEEN, SEEDS = ("detail", "contact", "watchlist"), 2, (4, 5, 7, 8, 10)


@dataclass
class Visitor(PaperBrowser):
    """Of a small site, whose buttons are driven by its script."""

    site: MiniSite = None  # type: ignore[assignment]

    def open(self, url: str) -> None:
        self.url = urljoin(self.url, url)
        self._opened.append(self.url)
        parts = urlsplit(self.url)
        self._root = etree.HTML(self.site.get(parts.path, dict(parse_qsl(parts.query))))

    def _posted(self, path: str, sent: dict[str, str]) -> None:
        then = self.site.post(urlsplit(path).path, sent)
        self.open(f"{then}{'&' if '?' in then else '?'}seed={self.site.seed}")

    def _click(self, node: Any) -> None:
        if node.get("data-act"):
            self._posted(node.get("data-act"), {})
        elif node.get("data-opens"):
            self._root.xpath(f"//*[@id='{node.get('data-opens')}']")[0].attrib.pop("hidden", None)
        else:
            super()._click(node)

    def _send(self, node: Any) -> None:
        form = node.xpath("ancestor::form[1]")[0]
        sent = {self._name(one): self._value(one) for one in form.iter("input", "textarea", "select")}
        if form.get("method") == "post":
            self._posted(form.get("action"), sent)
        else:
            self.open(f"{form.get('action')}?{urlencode(sent)}")


def visitor(seed: int) -> Visitor:
    return Visitor({}, site=MiniSite(seed, greets=False))


def site_map() -> SiteFacts:
    """What some tasks in steps have shown, at one seed."""
    pages, items = dict[str, Any](), dict[str, Item]()
    for name in TAUGHT:
        browser, history, before, pressed = visitor(SEEN), list[PastAction](), None, list[Selector]()
        browser.open(f"http://localhost:8000/?seed={SEEN}")
        for index in range(12):
            page = read(browser.page(), browser.url)
            pages |= {key: facts for (_, key), facts in shown_by(page, browser.page(), before, pressed).items()}
            items |= {key: Item(**facts) for (_, key), facts in lists(page).items()}
            made = plan(Step("/step", Form.STEP, "t", JOBS[name].prompt, browser.url, browser.page(), index, tuple(history)), page)
            if made.done:
                break
            history += [PastAction(one.type, one.fields, browser.run(one), "", browser.url) for one in made.actions]
            before, pressed = page, [one.fields["selector"] for one in made.actions if one.type in {"ClickAction", "SubmitAction"}]
    return SiteFacts(pages=pages, items=items)


@pytest.fixture(scope="module")
def learned() -> SiteFacts:
    return site_map()


def won(name: str, seed: int, learned: SiteFacts) -> bool:
    job, browser = JOBS[name], visitor(seed)
    step = Step("/solve_task", Form.ONE_SHOT, "t", job.prompt, f"http://localhost:8000/?seed={seed}")
    for action in plan(step, None, by_facts({}, lambda: learned)).actions:
        browser.run(action)
    events = [event.data for event in browser.site.events if event.kind == job.kind]
    return bool(events) and job.meets(events[-1])


def test_other_kinds_of_task_are_done_at_once_at_other_seeds(learned: SiteFacts) -> None:
    others = [name for name in JOBS if name not in TAUGHT]
    unseen = [name for name in others for seed in SEEDS if won(name, seed, SiteFacts())]
    done = [name for name in others for seed in SEEDS if won(name, seed, learned)]
    assert len(done) >= 0.7 * len(others) * len(SEEDS) > 2 * len(unseen)
    assert {"filter", "comment", "search"} <= {name for name in others if done.count(name) == len(SEEDS)}


def test_what_was_seen_is_done_at_once_too(learned: SiteFacts) -> None:
    assert all(won("detail", seed, learned) for seed in SEEDS)
    assert won("contact", SEEN, learned)


def test_routes_say_neither_seed_nor_which_item() -> None:
    urls = ("http://a/films/17?seed=3", "http://a/films/glass-harbour-1994/", "http://a/about?seed=1", "http://a")
    assert list(map(route_of, urls)) == ["/films/*", "/films/*", "/about", "/"]


def test_a_page_is_kept_without_what_was_typed_scripts_and_most_of_its_items() -> None:
    cards = "".join(f"<li><h3>Film {n}</h3><p>{n}</p><a href='/films/{n}?seed=1'>Open</a></li>" for n in range(50))
    html = f"<script>steal()</script><main><ul>{cards}</ul><form><input name=q value='my secret'><button onclick='x()'>Go</button></form></main>"
    kept = reduced(html)
    assert "steal" not in kept and "my secret" not in kept and "onclick" not in kept and "seed" not in kept
    assert kept.count("<li>") == 3 and 'name="q"' in kept
    assert reduced("<p>" + "".join(f"<b id=a{n}>{n}</b><i>{n}</i>" for n in range(MOST_HTML))) == ""


@pytest.mark.parametrize(
    "html", ["", "<", "<a href='http://evil.example/x/1'>x</a>", "<form><input type=password><button>Log in</button></form>"]
)
def test_a_map_of_anything_leads_nowhere_but_to_the_tasks_own_host(html: str) -> None:
    facts = SiteFacts(pages={"/": {"html": html}, "/login": {"to": "/login"}, "/x/*": {"html": html}})
    for name in JOBS:
        step = Step("/solve_task", Form.ONE_SHOT, "t", JOBS[name].prompt, "http://site:8000/?seed=7")
        urls = [
            str(one.fields.get("url", "")) for one in plan(step, None, by_facts({}, lambda: facts)).actions if one.type == "NavigateAction"
        ]
        assert all(url.startswith(("http://site:8000/", "/")) for url in urls)
