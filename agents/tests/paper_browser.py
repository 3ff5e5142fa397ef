"""A simulated browser for tests: follows links, fills fields and sends forms by the contract's selector rules, without scripts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree

from agents.contract.actions import Action
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.contract.selectors import quoted
from agents.template import plan
from agents.template.moves import NOTHING_KNOWN, Known

Node = Any
START = "http://localhost:8000/?seed=58"


# Values that browsers accept for fields of these types.
_TAKEN = {"date": re.compile(r"\d{4}-\d\d-\d\d"), "time": re.compile(r"\d\d:\d\d"), "number": re.compile(r"-?\d+(\.\d+)?")}
_ANY = re.compile(r".*", re.S)


class Failed(Exception):
    """The page doesn't allow the action."""


def matches(root: Node, selector: Mapping[str, Any]) -> list[Node]:
    """All elements that a selector matches, in document order."""
    if selector["type"] == "xpathSelector":
        return list(root.xpath(selector["value"]))
    tag = "a" if selector["attribute"] == "href" else "*"
    return list(root.xpath(f"//{tag}[@{selector['attribute']}={quoted(selector['value'])}]"))


@dataclass
class PaperBrowser:
    """`pages`: HTML by path. `sent`: the forms that were sent, as (path, {name: value})."""

    pages: Mapping[str, str]
    url: str = "about:blank"
    html: str = ""
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    _opened: list[str] = field(default_factory=list)
    failures: int = 0

    def __post_init__(self) -> None:
        self._root: Node = etree.HTML("<html><body></body></html>")

    def open(self, url: str) -> None:
        self.url = urljoin(self.url, url)
        self._opened.append(self.url)
        path = urlsplit(self.url).path
        self.visited.append(path)
        self._root = etree.HTML(self.pages.get(path, "<html><body><h1>Not found</h1></body></html>"))

    def page(self) -> str:
        return str(etree.tostring(self._root, method="html", encoding="unicode"))

    def run(self, action: Action) -> bool:
        """Whether the action succeeded."""
        try:
            self._run(action)
        except Failed:
            self.failures += 1
            return False
        return True

    def _run(self, action: Action) -> None:
        match action.type:
            case "NavigateAction":
                self.open(action.fields.get("url") or self._opened[-2:][0])
            case "TypeAction":
                self._type(self._first(action), action.fields["text"])
            case "ClickAction":
                self._click(self._first(action))
            case "SubmitAction":
                self._send(self._only(action))
            case "SelectDropDownOptionAction":
                self._choose(self._only(action), action.fields["text"])
            case "WaitAction":
                pass
            case _:
                raise Failed

    def _first(self, action: Action) -> Node:
        found = matches(self._root, action.fields["selector"])
        if not found or found[0].xpath("boolean(ancestor-or-self::*[@hidden])"):
            raise Failed
        return found[0]

    def _only(self, action: Action) -> Node:
        if len(matches(self._root, action.fields["selector"])) != 1:
            raise Failed
        return self._first(action)

    def _type(self, node: Node, text: str) -> None:
        kind = node.get("type")
        if (
            node.tag not in {"input", "textarea"}
            or kind in {"checkbox", "radio", "submit", "hidden"}
            or not _TAKEN.get(kind, _ANY).fullmatch(text)
        ):
            raise Failed
        node.set("value", text)
        if node.tag == "textarea":
            node.text = text

    def _choose(self, node: Node, text: str) -> None:
        options = [option for option in node.iter("option") if (option.text or "").strip() == text]
        if node.tag != "select" or not options:
            raise Failed
        for option in node.iter("option"):
            option.attrib.pop("selected", None)
        options[0].set("selected", "")

    def _click(self, node: Node) -> None:
        if node.tag == "a":
            self.open(node.get("href", ""))
        elif node.get("data-goto"):
            self.open(node.get("data-goto"))
        elif node.get("type") == "checkbox":
            node.set("checked", "")
        elif node.get("type") == "radio" or node.get("data-sets"):
            self._pick(node)
        elif node.get("type", "submit") == "submit":
            self._send(node)

    def _pick(self, node: Node) -> None:
        """Chooses one of several radio buttons, or of buttons that set a hidden field."""
        name, _, value = node.get("data-sets", "").partition("=")
        for other in self._root.xpath("//input"):
            if other.get("type") == "radio" and other.get("name") == node.get("name"):
                other.attrib.pop("checked", None)
            if other.get("type") == "hidden" and other.get("name") == name:
                other.set("value", value)
        node.set("checked", "")

    def _send(self, node: Node) -> None:
        form = next(iter(node.xpath("ancestor::form[1]")), None)
        if form is None:
            return
        radios = [item for item in form.iter("input") if item.get("type") == "radio" and item.get("checked") is None]
        values = {self._name(item): self._value(item) for item in form.iter("input", "textarea", "select") if item not in radios}
        values.pop("", None)
        self.sent.append((form.get("action"), values))
        if not form.get("data-stays"):
            self.open(form.get("data-goto") or form.get("action"))

    def _name(self, node: Node) -> str:
        return str(node.get("data-field") or node.get("name") or "")

    def _value(self, node: Node) -> str:
        if node.tag == "select":
            return next(((option.text or "").strip() for option in node.iter("option") if option.get("selected") is not None), "")
        if node.get("type") == "checkbox":
            return "on" if node.get("checked") is not None else ""
        return str(node.get("value", ""))


@dataclass
class Outcome:
    """The result of a task: the browser afterwards, and all plans."""

    browser: PaperBrowser
    plans: list[Plan]
    history: list[PastAction]

    @property
    def done(self) -> bool:
        return self.plans[-1].done


def start_of(pages: Mapping[str, str]) -> str:
    """The URL of a site's start page, with the seed that its links carry."""
    seed = re.search(r"seed=(\d+)", pages["/"])
    return f"http://localhost:8000/?seed={seed[1] if seed else 58}"


def one_shot(prompt: str, pages: Mapping[str, str], html: str = "") -> Outcome:
    """Runs a one-shot plan to its end."""
    from agents.page import read  # noqa: PLC0415 (only this needs a page read beforehand)

    made = plan(Step("/solve_task", Form.ONE_SHOT, "t", prompt, start_of(pages), html), read(html, start_of(pages)) if html else None)
    browser = PaperBrowser(pages)
    history = [PastAction(action.type, action.fields, browser.run(action), "", browser.url) for action in made.actions]
    return Outcome(browser, [made], history)


def step_by_step(
    prompt: str,
    pages: Mapping[str, str],
    known: Known = NOTHING_KNOWN,
    /,
    *,
    first_only: bool,
    nameless: bool = False,
    filled_in: bool = False,
    most: int = 12,
) -> Outcome:
    """Runs a task in steps from its start page, until the agent reports it as done.

    `first_only`: the caller runs only the first action of each step. `nameless`: its history has no selectors.
    `filled_in`: its history has the values of placeholders.
    """
    browser = PaperBrowser(pages)
    browser.open(start_of(pages))
    outcome = Outcome(browser, [], [])
    for index in range(most):
        made = plan(Step("/step", Form.STEP, "t", prompt, browser.url, browser.page(), index, tuple(outcome.history)), None, known)
        outcome.plans.append(made)
        if made.done:
            break
        for action in made.actions[: 1 if first_only else None]:
            succeeded = browser.run(action)
            outcome.history.append(_recorded(action, browser.url, succeeded, nameless=nameless, filled_in=filled_in))
    return outcome


def _recorded(action: Action, url: str, succeeded: bool, *, nameless: bool, filled_in: bool) -> PastAction:
    past = PastAction(action.type, action.fields, succeeded, "", url)
    if filled_in and "text" in past.fields:
        past = replace(past, fields={**past.fields, "text": str(past.fields["text"]).strip("<>")})
    if nameless:
        past = replace(past, fields={key: value for key, value in past.fields.items() if key == "text"})
    return past
