"""A real browser that does what the agent says, as callers do."""

from playwright.sync_api import Error, Page

from agents.contract.actions import Action
from agents.contract.protocol import Form, PastAction, Step
from agents.contract.selectors import for_playwright
from agents.template import plan

# Callers wait longer after a press; a page of ours is on its way by then.
SETTLING = 60


def carry_out(page: Page, action: Action, longest_wait: float = 10.0) -> bool:
    """Whether a browser could do what the action says, as callers do it. `longest_wait`, s: no wait takes longer."""
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
    """The page as it is; one that is just being left is waited for."""
    for _ in range(5):
        try:
            return page.content()
        except Error:
            page.wait_for_load_state()
    raise AssertionError(page.url)


def step(form: Form, prompt: str, url: str, *, page: str = "", history: tuple[PastAction, ...] = ()) -> Step:
    return Step("/step", form, "t", prompt, url, page, len(history), history)


def in_steps(page: Page, prompt: str, url: str, longest_wait: float = 10.0) -> bool:
    """Runs the first call of each of at most 12 steps; says whether the agent said that it is done."""
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
