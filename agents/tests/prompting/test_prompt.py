"""The LLM's prompt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import actions, selectors
from agents.contract.action_types import CATALOGUE
from agents.contract.protocol import Form, PastAction, Step
from agents.page import read
from agents.prompting.page_prompt import fitted, tokens
from agents.prompting.prompt import MOST_TOKENS, question
from agents.tests.long_pages import films
from agents.tests.template.test_template_properties import HTML, ODD_PAST, PROMPT

START = "http://localhost:8000/?seed=58"
LINK = actions.click(selectors.xpath("//a"))
FILM = "Show the film where the genre equals 'Sci-Fi' and the year is greater than 1999"


def step(
    form: Form = Form.STEP, page: str = "", history: tuple[PastAction, ...] = (), prompt: str = "Log in as <username>", **more: object
) -> Step:
    return Step("/step", form, "1", prompt, START, page, len(history), history, **more)  # type: ignore[arg-type]


def prompt_texts(of: Step) -> tuple[str, str]:
    """The texts of the system and of the user message."""
    put = question(of, read(of.page, of.url) if of.page else None)
    assert [message["role"] for message in put.messages] == ["system", "user"]
    return put.messages[0]["content"], put.messages[1]["content"]


def test_the_prompt_for_a_whole_plan_lists_every_action_with_its_fields() -> None:
    system, _ = prompt_texts(step(Form.ONE_SHOT))
    for kind in CATALOGUE.values():
        assert f'{{"type": "{kind.type}"' in system
        assert all(f'"{name}": ' in system for name in kind.fields if name not in kind.optional)
    for rule in (
        "<username>",
        "query parameters",
        "cssSelector",
        "case_sensitive",
        "Two failed actions",
        '"actions": [',
        "NavigateAction to the task's URL",
    ):
        assert rule in system


def test_on_a_page_elements_are_picked_by_number_and_selectors_are_not_mentioned() -> None:
    system, user = prompt_texts(step(page="<a href='/login'>Sign in</a>"))
    assert '{"type": "click", "element": N}' in system
    assert "elector" not in system
    assert '1 link "Sign in"' in user


def test_a_step_is_shown_only_the_tools_that_it_allows() -> None:
    system, _ = prompt_texts(step(page="<a href='/login'>Sign in</a>", allowed_tools=frozenset({"browser.click"})))
    catalogue = system.partition("ACTIONS")[2].partition("EXAMPLE")[0]
    assert '"click"' in catalogue
    assert '"input"' not in catalogue


def test_the_user_message_has_task_url_step_and_history() -> None:
    past = (
        PastAction("ClickAction", LINK.fields, succeeded=False, error="Timeout 10000ms\nCall log: …", url=START),
        PastAction("TypeAction", {"text": "x", **LINK.fields}, succeeded=True, error="", url=START),
        PastAction("", {}, None, "", ""),
    )
    _, user = prompt_texts(step(history=past, prompt="Log in where username equals 'ann', then search for 'Arrival'"))
    for part in (
        START,
        "4; at most 9 steps with this one are left",
        "- click an element: failed Timeout 10000ms\n",
        '- type "x" into an element: worked',
        "- an action: outcome not reported",
    ):
        assert part in user
    assert "Call log" not in user


def test_past_actions_are_described_as_they_were_whatever_the_page_shows_now() -> None:
    typed = actions.type_text(selectors.attribute("name", "q"), "Arrival")
    past = PastAction(typed.type, typed.fields, succeeded=True, error="", url=START)
    html = "<a href='/'>Home</a><input name='q' placeholder='Find'>"
    _, user = prompt_texts(step(page=html, history=(past,)))
    assert '- type "Arrival" into the element with name "q": worked' in user
    recorded = replace(past, words='type "Arrival" into textbox "Find"', effect="3 items, 8 before")
    _, user = prompt_texts(step(page=html, history=(recorded,)))
    assert '- type "Arrival" into textbox "Find": worked → 3 items, 8 before' in user


def test_a_caller_that_names_no_elements_is_sent_one_action_in_each_of_its_steps() -> None:
    past = (PastAction("ClickAction", {}, succeeded=True, error="", url=""),)
    system, user = prompt_texts(step(page="<a href='/login'>Sign in</a>", history=past))
    assert "Send one action" in system
    assert "2; at most 11 steps with this one are left" in user


def test_a_caller_that_runs_several_actions_of_a_reply_has_actions_left() -> None:
    past = (PastAction("ClickAction", LINK.fields, succeeded=True, error="", url=START),) * 5
    _, user = prompt_texts(replace(step(page="<a href='/login'>Sign in</a>", history=past), index=2))
    assert "3; at most 45 actions are left" in user


def test_what_was_left_out_of_the_last_reply_is_listed_with_the_reason() -> None:
    _, user = prompt_texts(step(notes=('{"type": "click", "element": 99}: element: there is no number 99 on the page.',)))
    assert '- {"type": "click", "element": 99}: element: there is no number 99 on the page.' in user
    assert "NOT RUN" not in prompt_texts(step())[1]


@pytest.mark.parametrize(("cards", "kilobytes", "most"), [(10, 7, 2_500), (28, 18, 2_500), (760, 500, 4_000)])
@pytest.mark.parametrize("form", list(Form))
def test_a_request_keeps_to_its_tokens_however_large_the_page(form: Form, cards: int, kilobytes: int, most: int) -> None:
    page = films(cards)
    assert len(page) // 1000 == pytest.approx(kilobytes, rel=0.2)
    assert tokens("\n".join(prompt_texts(step(form, page, prompt=FILM)))) <= most


def test_even_the_longest_prompt_history_and_url_leave_room_for_the_page() -> None:
    past = (PastAction("ClickAction", LINK.fields, succeeded=False, error="ä" * 2000, url=START),) * 100
    for prompt in ("p" * 100_000, "ü" * 100_000):
        texts = prompt_texts(Step("/step", Form.STEP, "1", prompt, f"{START}&x={'y' * 7000}", films(760), 3, past))
        assert tokens("\n".join(texts)) <= MOST_TOKENS
        assert '1 link "' in texts[1]


@given(st.sampled_from(Form), PROMPT, HTML, st.lists(ODD_PAST, max_size=5).map(tuple))
def test_any_step_has_a_valid_prompt(form: Form, prompt: str, html: str, history: tuple[PastAction, ...]) -> None:
    texts = prompt_texts(step(form, html, history, prompt))
    assert tokens("\n".join(texts)) <= MOST_TOKENS
    "".join(texts).encode("utf-8", "surrogatepass")


@given(st.text(max_size=200), st.integers(1, 100))
def test_a_text_is_fitted_to_its_tokens(text: str, most: int) -> None:
    cut = fitted(text, most)
    assert tokens(cut) <= most
    assert cut == text or cut.endswith("…")
