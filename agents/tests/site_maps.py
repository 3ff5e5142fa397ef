"""Site facts from steps on a small site at one seed, and one-shot tasks at other seeds that are planned with them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from agents.configuration.known_sites import read_table
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.contract.selectors import Selector
from agents.learning.reading.pages import Fact, learned
from agents.page import Page, read
from agents.template import plan
from agents.template.sites.site_facts import SiteFacts
from agents.template.sites.site_plans import by_facts
from agents.tests.mini_server import Served
from agents.tests.site_browser import SiteBrowser

_TABLES = {"route": "pages", "effect": "pages", "list": "items", "form": "forms"}


@dataclass
class Visitor(SiteBrowser):
    """A browser for a small site, with its script's effects."""

    def _click(self, node: Any) -> None:
        if node.get("data-act"):
            self._load(urljoin(self.url, node.get("data-act")), {})
        elif node.get("data-opens"):
            self._root.xpath(f"//*[@id='{node.get('data-opens')}']")[0].attrib.pop("hidden", None)
        else:
            super()._click(node)

    def _send(self, node: Any) -> None:
        if not (forms := node.xpath("ancestor::form[1]")):
            return
        form = forms[0]
        sent = {self._name(control): self._value(control) for control in form.iter("input", "textarea", "select")}
        action = urljoin(self.url, form.get("action"))
        if form.get("method") == "post":
            self._load(action, sent)
        else:
            self.open(f"{action.partition('?')[0]}?{urlencode(sent)}")


def visitor(site: Served) -> Visitor:
    def fetch(url: str, sent: dict[str, str] | None) -> tuple[str, str]:
        if sent is not None:
            then = site.post(urlsplit(url).path, sent)
            url = f"{urljoin(url, then)}{'&' if '?' in then else '?'}seed={site.seed}"
        parts = urlsplit(url)
        return url, site.get(parts.path, dict(parse_qsl(parts.query)))

    return Visitor({}, fetch=fetch)


def start(site: Served) -> str:
    return f"http://localhost:8000/?seed={site.seed}"


Planner = Callable[[Step, Page], Plan]


def taught(runs: Iterable[tuple[Served, str] | tuple[Served, str, Planner]]) -> SiteFacts:
    """The facts that tasks in steps have shown, each at its own visitor's site: by the template agent or a planner as the LLM."""
    facts = dict[Fact, dict[str, Any]]()
    for site, prompt, *planner in runs:
        browser, history, before, pressed = visitor(site), list[PastAction](), None, list[Selector]()
        browser.open(start(site))
        for index in range(12):
            html = browser.page()
            page = read(html, browser.url)
            facts |= learned(page, html, before, pressed, facts)
            made = next(iter(planner), plan)(Step("/step", Form.STEP, "t", prompt, browser.url, html, index, tuple(history)), page)
            if made.done:
                break
            history += [PastAction(action.type, action.fields, browser.run(action), "", browser.url) for action in made.actions]
            before, pressed = page, [action.fields["selector"] for action in made.actions if action.type in {"ClickAction", "SubmitAction"}]
    return facts_of(facts)


def facts_of(facts: dict[Fact, dict[str, Any]]) -> SiteFacts:
    made: dict[str, dict[str, Any]] = {name: {} for name in _TABLES.values()}
    for (kind, key), fact in facts.items():
        made[_TABLES[kind]][key] = fact
    return read_table("learned", made, SiteFacts(), [])


def at_once(site: Served, prompt: str, facts: SiteFacts) -> None:
    """Runs the one-shot task on the site."""
    browser, step = visitor(site), Step("/solve_task", Form.ONE_SHOT, "t", prompt, start(site))
    for action in plan(step, None, by_facts({}, facts)).actions:
        browser.run(action)
