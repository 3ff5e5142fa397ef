"""The generations of callers: which endpoint each uses, what it sends, and the browser in which it runs the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import etree, html

from agents.contract.action_types import CATALOGUE
from agents.devtools.demo_traffic.sites import Task, page

STARTS_A_SESSION, ENDS_IT = "/welcome", "/logout"
STEP_SECONDS = 25.0
TYPES = {kind.tool: kind.type for kind in CATALOGUE.values()}
VIEWPORT = {"viewport_width": 1920, "viewport_height": 1080, "screen_width": 1920, "screen_height": 1080, "device_pixel_ratio": 1.0}


@dataclass(frozen=True, slots=True)
class Browser:
    """An open page of a task's site. `typed`: text by field name, sent by the next submit; `error`: of the last action, "" if none."""

    task: Task
    url: str
    logged_in: bool = False
    typed: tuple[tuple[str, str], ...] = ()
    error: str = ""

    @property
    def html(self) -> str:
        return page(self.task.site, self.task.seed, self.url, self.logged_in)


def act(browser: Browser, name: str, arguments: Mapping[str, Any]) -> Browser:
    """The browser after one tool call ("browser.click", its arguments)."""
    browser = replace(browser, error="")
    if name == "browser.navigate" and isinstance(arguments.get("url"), str):
        return _opened(browser, arguments["url"])
    if name not in {"browser.click", "browser.dblclick", "browser.input", "browser.submit"}:
        return browser
    element = find(browser.html, arguments.get("selector"))
    if element is None:
        return replace(browser, error="Timeout 10000ms exceeded: no element matches the selector.")
    if name == "browser.input":
        return replace(browser, typed=(*browser.typed, (str(element.get("name", "")), str(arguments.get("text", "")))))
    if element.tag == "a":
        return _opened(browser, element.get("href", ""))
    form = next(element.iterancestors("form"), None)
    if form is None or element.tag not in {"button", "input"}:
        return browser
    values = {"seed": str(browser.task.seed), **{field: text for field, text in browser.typed if field == "query"}}
    return _opened(browser, f"{form.get('action', '')}?{urlencode(values)}")


def _opened(browser: Browser, target: str) -> Browser:
    url = urljoin(browser.url, target)
    path = urlsplit(url).path
    return Browser(browser.task, url, (browser.logged_in or path == STARTS_A_SESSION) and path != ENDS_IT)


# By the selector's type, in the contract's three forms.
XPATHS = {
    "attributeValueSelector": "//*[@*[name() = $attribute] = $value]",
    "tagContainsSelector": "//body//*[contains(text(), $value)]",
}


def find(source: str, selector: object) -> html.HtmlElement | None:
    if not isinstance(selector, Mapping):
        return None
    value, attribute = str(selector.get("value", "")), str(selector.get("attribute", ""))
    path = value if selector.get("type") == "xpathSelector" else XPATHS.get(str(selector.get("type")), "")
    try:
        found = etree.XPath(path)(html.document_fromstring(source), value=value, attribute=attribute)
    except etree.XPathError:
        return None
    return found[0] if isinstance(found, list) and found and isinstance(found[0], html.HtmlElement) else None


@dataclass(frozen=True, slots=True)
class Ran:
    """One tool call that was run. `url`: the page after it; `at`: wall-clock s; `error` "": it succeeded."""

    name: str
    arguments: Mapping[str, Any]
    url: str
    at: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """`one_shot`: expects the whole plan; `runs_all`: runs every call of a step, not the first alone."""

    path: str
    since: str
    one_shot: bool = False
    runs_all: bool = True


CALLERS = (
    Caller("/solve_task", "2025-03", one_shot=True),
    Caller("/solve_task_at_once", "2026-02", one_shot=True),
    Caller("/act", "2026-01", runs_all=False),
    Caller("/step", "2026-03"),
)


def one_shot_body(caller: Caller, browser: Browser) -> dict[str, Any]:
    task = browser.task
    asked = {"id": task.id, "is_web_real": False, "web_project_id": task.site.project, "url": task.url, "prompt": task.prompt}
    fixed = {"specifications": VIEWPORT, "relevant_data": {}, "should_record": False, "original_prompt": task.prompt}
    shown = {"html": browser.html, "clean_html": browser.html, "screenshot": ""} if caller.since < "2026" else {}
    return {**asked, **fixed, **shown}


def step_body(caller: Caller, browser: Browser, history: Sequence[Ran], index: int) -> dict[str, Any]:
    task = browser.task
    asked = {"protocol_version": "1.0", "task_id": task.id, "prompt": task.prompt, "url": browser.url, "step_index": index}
    body = {**asked, "include_reasoning": False}
    if caller.path == "/act":
        own = {"snapshot_html": browser.html, "web_project_id": task.site.project, "state_in": {}, "allowed_tools": []}
        return {**body, **own, "history": [_old_entry(*each) for each in enumerate(history)], "timeout_seconds": STEP_SECONDS}
    return {**body, "html": browser.html, "history": [_entry(*each) for each in enumerate(history)], "tools": []}


def _entry(number: int, ran: Ran) -> dict[str, Any]:
    action = {"type": TYPES.get(ran.name, ran.name), **ran.arguments}
    return {"index": number, "action": action, "success": not ran.error, "error": ran.error or None, "url": ran.url, "timestamp": ran.at}


def _old_entry(number: int, ran: Ran) -> dict[str, Any]:
    action, text = TYPES.get(ran.name, ran.name), ran.arguments.get("text")
    return {"step": number, "action": action, "text": text, "exec_ok": not ran.error, "error": ran.error or None}
