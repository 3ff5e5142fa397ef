"""Properties of the template agent's plans for any input."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.contract.action_history import sign
from agents.contract.actions import validate
from agents.contract.origins import query_parts, split_http
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.template import plain, plan
from agents.tests.demo_sites import CONTACT, cinema, shop
from agents.tests.strategies import URLS
from agents.tests.template.test_intents import LOGIN_FIRST, PROMPTS

START = "http://localhost:8000/?x=<username>&seed=58"

ODD_WORDS = ["where name equals", "'", "is one of ['a', \"b\"]", "less than '0'", "greater than 9e999", "password equals ''", "then"]
PROMPT_TEXTS = [prompt[0] for prompt in PROMPTS] + [one[0] for one in LOGIN_FIRST]
WORDS = st.sampled_from([*PROMPT_TEXTS, *ODD_WORDS, "\ue000", "\ud800", "\0"])
PROMPT = st.lists(WORDS | st.text(max_size=20), max_size=4).map(" ".join)
PAGES = [page for site in (cinema(), cinema(7), shop()) for page in site.values()]
PIECES = [
    "<form>",
    "</form>",
    "<input>",
    "<input type=password>",
    "<button>Log in</button>",
    "<a href='/login'>it's</a>",
    "<select>",
    "<p>",
]
HTML = (
    st.sampled_from([*PAGES, CONTACT, "", "<dialog open><button>OK</button></dialog>"])
    | st.text(max_size=60)
    | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
)
ODD_VALUES: st.SearchStrategy[Any] = st.none() | st.text(max_size=5) | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2)
ODD_PAST = st.builds(
    PastAction,
    st.sampled_from(["", "ClickAction", "TypeAction", "WaitAction", "NavigateAction", "SubmitAction"]),
    st.dictionaries(st.sampled_from(["selector", "text", "url", "keys", "value"]), ODD_VALUES),
    st.sampled_from([True, False, None]),
    st.just(""),
    URLS,
)
FORMS = st.sampled_from(Form)


def step(form: Form, prompt: str, html: str, history: tuple[PastAction, ...] = (), url: str = START) -> Step:
    return Step("/step", form, "t", prompt, url, html, len(history), history)


def assert_sound(made: Plan, form: Form) -> None:
    for action in made.actions:
        assert validate(action.as_action()) == action
        if "url" in action.fields and (parts := split_http(action.fields["url"])):
            assert query_parts(parts.query).count("seed=58") == 1
    if form is Form.ONE_SHOT:
        assert made.actions[0].fields == {"url": START}


@given(FORMS, PROMPT, HTML, st.lists(ODD_PAST, max_size=5).map(tuple))
def test_every_plan_is_valid_and_keeps_to_the_tasks_seed(form: Form, prompt: str, html: str, history: tuple[PastAction, ...]) -> None:
    assert_sound(plan(step(form, prompt, html, history), None), form)
    assert_sound(plain(step(form, prompt, html, history)), form)


@given(FORMS, PROMPT, HTML, URLS, st.lists(ODD_PAST, max_size=3).map(tuple))
def test_no_url_keeps_a_plan_from_being_made(form: Form, prompt: str, html: str, url: str, history: tuple[PastAction, ...]) -> None:
    for made in (plan(step(form, prompt, html, history, url), None), plain(step(form, prompt, html, history, url))):
        assert all(validate(action.as_action()) == action for action in made.actions)


@given(PROMPT, st.lists(HTML, min_size=1, max_size=8), st.lists(st.booleans(), min_size=40, max_size=40), st.booleans())
def test_a_failed_action_is_never_sent_again(prompt: str, pages: list[str], outcomes: list[bool], first_only: bool) -> None:
    history: list[PastAction] = []
    fate = iter(outcomes)
    for at, html in enumerate(pages):
        made = plan(step(Form.STEP, prompt, html, tuple(history), url=f"{START}&at={at}"), None)
        failed = {sign(past.type, past.fields) for past in history if past.succeeded is False}
        assert not failed & {sign(action.type, action.fields) for action in made.actions}
        ran = made.actions[:1] if first_only else made.actions
        for action in ran:
            history.append(PastAction(action.type, action.fields, action.type == "WaitAction" or next(fate, True), "", START))


@given(PROMPT, HTML, st.booleans())
def test_a_task_on_a_page_that_never_changes_ends(prompt: str, html: str, succeeds: bool) -> None:
    history: list[PastAction] = []
    for _ in range(60):
        made = plan(step(Form.STEP, prompt, html, tuple(history)), None)
        if made.done:
            return
        assert made.actions
        for action in made.actions:
            history.append(PastAction(action.type, action.fields, succeeds or action.type == "WaitAction", "", START))
    raise AssertionError([action.in_words() for action in made.actions])


@given(PROMPT.filter(str.strip), HTML)
def test_the_first_step_is_never_the_last(prompt: str, html: str) -> None:
    assert not plan(step(Form.STEP, prompt, html), None).done


@given(PROMPT, HTML)
def test_after_a_failure_the_next_action_is_a_wait(prompt: str, html: str) -> None:
    history = (
        PastAction("ClickAction", {"selector": {"type": "xpathSelector", "value": "//nowhere"}}, succeeded=False, error="", url=START),
    )
    made = plan(step(Form.STEP, prompt, html, history), None)
    assert made.done or made.actions[0].type in {"WaitAction", "NavigateAction"}
