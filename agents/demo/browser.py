"""The validator's browser, as far as the demo needs one: what an action does to the page that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import etree, html

from agents.demo.pages import page
from agents.demo.tasks import Task

STARTS_A_SESSION, ENDS_IT = "/welcome", "/logout"


@dataclass(frozen=True, slots=True)
class Browser:
    """An open page of a task's site. `typed`: text by field name, sent by the next submit."""

    task: Task
    url: str
    logged_in: bool = False
    typed: tuple[tuple[str, str], ...] = ()

    @property
    def html(self) -> str:
        return page(self.task.site, self.task.look, self.url, self.logged_in)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: the browser after it, and its error ("" when it went well)."""

    browser: Browser
    error: str = ""


def act(browser: Browser, name: str, arguments: Mapping[str, Any]) -> Done:
    """Runs one tool call ("browser.click", its arguments) on the open page."""
    match name:
        case "browser.navigate":
            url = arguments.get("url")
            return Done(_went(browser, url)) if isinstance(url, str) else Done(browser)
        case "browser.click" | "browser.dblclick" | "browser.input" | "browser.submit":
            return _on_element(browser, name, arguments)
    return Done(browser)


def _on_element(browser: Browser, name: str, arguments: Mapping[str, Any]) -> Done:
    element = find(browser.html, arguments.get("selector"))
    if element is None:
        return Done(browser, "Timeout 10000ms exceeded: no element matches the selector.")
    if name == "browser.input":
        field = (str(element.get("name", "")), str(arguments.get("text", "")))
        return Done(replace(browser, typed=(*browser.typed, field)))
    return Done(_clicked(browser, element))


def _clicked(browser: Browser, element: html.HtmlElement) -> Browser:
    if element.tag == "a":
        return _went(browser, element.get("href", ""))
    form = next(element.iterancestors("form"), None)
    if form is None or element.tag not in {"button", "input"}:
        return browser
    values = {"seed": str(browser.task.look), **{name: text for name, text in browser.typed if name == "query"}}
    return _went(browser, f"{form.get('action', '')}?{urlencode(values)}")


def _went(browser: Browser, target: str) -> Browser:
    url = urljoin(browser.url, target)
    path = urlsplit(url).path
    logged_in = (browser.logged_in or path == STARTS_A_SESSION) and path != ENDS_IT
    return Browser(browser.task, url, logged_in)


def find(source: str, selector: object) -> html.HtmlElement | None:
    """The first element of the page `source` that `selector` matches, in the contract's three forms."""
    if not isinstance(selector, Mapping):
        return None
    tree, value = html.document_fromstring(source), str(selector.get("value", ""))
    match selector.get("type"):
        case "xpathSelector":
            return _first(tree, value)
        case "attributeValueSelector":
            return _first(tree, "//*[@*[name() = $name] = $value]", name=str(selector.get("attribute", "")), value=value)
        case "tagContainsSelector":
            return _first(tree, "//body//*[contains(text(), $value)]", value=value)
    return None


def _first(tree: html.HtmlElement, path: str, **variables: str) -> html.HtmlElement | None:
    try:
        found = etree.XPath(path)(tree, **variables)
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], html.HtmlElement) else None
