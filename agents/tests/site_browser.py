"""A simulated browser for sites that record actions: over HTTP, and in steps by any agent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen

from lxml import etree

from agents.contract.protocol import PastAction, Plan
from agents.tests.paper_browser import PaperBrowser

# (URL, form values or None) to (URL of the page, its HTML)
Fetch = Callable[[str, dict[str, str] | None], tuple[str, str]]


def over_http(url: str, sent: dict[str, str] | None) -> tuple[str, str]:
    body = None if sent is None else urlencode(sent).encode()
    with urlopen(Request(url, body), timeout=20) as answer:
        return answer.geturl(), answer.read().decode()


@dataclass
class SiteBrowser(PaperBrowser):
    fetch: Fetch = over_http

    def open(self, url: str) -> None:
        self._load(urljoin(self.url, url), None)

    def _send(self, node: Any) -> None:
        form = next(iter(node.xpath("ancestor::form[1]")), None)
        if form is None:
            return
        fields = [
            field for field in form.iter("input", "textarea", "select") if field.get("type") != "radio" or field.get("checked") is not None
        ]
        values = {self._name(field): self._value(field) for field in fields}
        self._load(urljoin(self.url, form.get("action")), values)

    def _load(self, url: str, sent: dict[str, str] | None) -> None:
        self._opened.append(url)
        self.url, self.html = self.fetch(url, sent)
        self._root = etree.HTML(self.html)


# (URL, page, index, history) to the next plan
Agent = Callable[[str, str, int, list[PastAction]], Plan]


def in_steps(
    agent: Agent, url: str, *, fetch: Fetch = over_http, most: int = 12, first_only: bool = False, until: Callable[[], bool] = bool
) -> SiteBrowser:
    """Runs a task from its start page until the agent reports it as done, or `until` is true."""
    browser = SiteBrowser({}, fetch=fetch)
    browser.open(url)
    history = list[PastAction]()
    for index in range(most):
        plan = agent(browser.url, browser.page(), index, history)
        for action in plan.actions[: 1 if first_only else None]:
            succeeded = browser.run(action)
            history.append(PastAction(action.type, action.fields, succeeded, "", browser.url, index))
        if plan.done or until():
            break
    return browser
