"""Runs the agent's actions in a real browser, as callers do."""

from playwright.sync_api import Error, Page

from agents.contract.actions import Action
from agents.contract.protocol import Form, PastAction, Step
from agents.contract.selectors import for_playwright
from agents.template import plan

# Milliseconds after an action. Callers wait longer; our pages load in this time.
SETTLING = 60


def carry_out(page: Page, action: Action, longest_wait: float = 10.0) -> bool:
    """Runs an action as callers do; returns whether it succeeded. `longest_wait`: the most seconds of a wait."""
    try:
        _do(page, action, longest_wait)
    except Error:
        return False
    page.wait_for_timeout(SETTLING)
    page.wait_for_load_state()
    return True


def _do(page: Page, action: Action, longest_wait: float) -> None:
    fields = action.fields
    target = page.locator(for_playwright(fields["selector"])) if "selector" in fields else page.locator("body")
    match action.type:
        case "NavigateAction":
            page.goto(fields["url"])
        case "WaitAction":
            page.wait_for_timeout(min(fields["time_seconds"], longest_wait) * 1000)
        case "ClickAction":
            target.first.click()
        case "TypeAction":
            target.first.fill(fields["text"])
        case "SubmitAction":
            target.press("Enter")
        case "SelectDropDownOptionAction":
            target.select_option(label=fields["text"])
        case _:
            raise AssertionError(action)


def content(page: Page) -> str:
    """The page's HTML; waits while a page is loading."""
    for _ in range(5):
        try:
            return page.content()
        except Error:
            page.wait_for_load_state()
    raise AssertionError(page.url)


def step(form: Form, prompt: str, url: str, *, page: str = "", history: tuple[PastAction, ...] = ()) -> Step:
    return Step("/step", form, "t", prompt, url, page, len(history), history)


def in_steps(page: Page, prompt: str, url: str, longest_wait: float = 10.0) -> bool:
    """Runs the first action of each of at most 12 steps; returns whether the agent reported the task as done."""
    page.goto(url)
    history: tuple[PastAction, ...] = ()
    for _ in range(12):
        made = plan(step(Form.STEP, prompt, page.url, page=content(page), history=history), None)
        if made.done:
            return True
        action = made.actions[0]
        assert carry_out(page, action, longest_wait), action.in_words()
        history += (PastAction(action.type, action.fields, succeeded=True, error="", url=page.url),)
    return False
