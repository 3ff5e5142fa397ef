from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import actions, selectors
from agents.contract.actions import Action, InvalidAction, repair, validate
from agents.contract.limits import MAX_ACTIONS, MAX_STEPS, MAX_TRAJECTORY
from agents.contract.origins import query_parts
from agents.contract.protocol import Form, PastAction, Step
from agents.contract.task_rules import MAX_STEP, conform, permitted, site_of, steps_left
from agents.tests.rows import rows
from agents.tests.strategies import URLS, near_actions

START = "http://localhost:8000/?seed=58"
GO = actions.click(selectors.attribute("id", "go"))


def one_shot(
    url: str = START, *, index: int = 0, history: tuple[PastAction, ...] = (), allowed_tools: frozenset[str] = frozenset()
) -> Step:
    return Step(
        endpoint="/solve_task",
        form=Form.ONE_SHOT,
        task_id="1",
        prompt="Log in",
        url=url,
        index=index,
        history=history,
        allowed_tools=allowed_tools,
    )


def step(url: str = START, *, index: int = 0, history: tuple[PastAction, ...] = (), allowed_tools: frozenset[str] = frozenset()) -> Step:
    return replace(one_shot(url, index=index, history=history, allowed_tools=allowed_tools), endpoint="/step", form=Form.STEP)


def went_to(url: str) -> PastAction:
    return PastAction(type="NavigateAction", fields={}, succeeded=True, error="", url=url)


def urls(plan: Iterable[Action]) -> list[str]:
    return [action.fields["url"] for action in plan]


def navigated(target: str, on: Step) -> list[str]:
    return urls(permitted([actions.navigate(target)], on))


@rows(
    ("target", "url"),
    [
        ("/login", "http://localhost:8000/login?seed=58"),
        ("login?x=<username>", "http://localhost:8000/login?x=<username>&seed=58"),
        ("/login?seed=58&x=1#form", "http://localhost:8000/login?seed=58&x=1#form"),
        ("/login?seed=7&x=1", "http://localhost:8000/login?x=1&seed=58"),
        ("/login?seed=58&seed=58", "http://localhost:8000/login?seed=58"),
        ("/login?%73eed=7", "http://localhost:8000/login?seed=58"),
        ("/login?seed=", "http://localhost:8000/login?seed=58"),
        ("http://LOCALHOST:8000/login", "http://localhost:8000/login?seed=58"),
        ("http://127.0.0.1:8000/login", "http://localhost:8000/login?seed=58"),
        ("http://[::1]:8000/login", "http://localhost:8000/login?seed=58"),
        ("https://localhost:8000/login", "http://localhost:8000/login?seed=58"),
        ("http://user:pw@localhost:8000/login", "http://localhost:8000/login?seed=58"),
    ],
)
@rows("form", [one_shot, step])
def test_a_navigation_is_absolute_on_the_tasks_host_with_its_seed(form: Callable[..., Step], target: str, url: str) -> None:
    assert navigated(target, form()) == [url]


@rows(
    "target",
    [
        "http://evil.example/",
        "http://evil.example:8000/?seed=58",
        "//evil.example/",
        "http://localhost:8000@evil.example/",
        "http://localhost/login",
        "http://localhost:8001/login",
        "http://localhost:99999/",
        "http://[::1/",
    ],
)
@rows("form", [one_shot, step])
def test_a_navigation_to_another_site_is_dropped(form: Callable[..., Step], target: str) -> None:
    assert permitted([actions.navigate(target)], form()) == ()


def test_a_loopback_name_with_the_tasks_port_means_the_tasks_own_host() -> None:
    assert navigated("http://localhost:8000/a", step("http://84.1.2.3:8000/?seed=5")) == ["http://84.1.2.3:8000/a?seed=5"]


def test_all_parameters_of_the_tasks_own_address_are_kept() -> None:
    on = one_shot("http://localhost:8000/?a=1&seed=58&b=2")
    assert navigated("/x?b=3&c=4", on) == ["http://localhost:8000/x?c=4&a=1&seed=58&b=2"]
    assert navigated("/x", step(on.url, index=0)) == ["http://localhost:8000/x?a=1&seed=58&b=2"]


def test_a_later_pages_own_parameters_stay_on_that_page() -> None:
    later = step(
        "http://localhost:8000/search?q=arrival&seed=58", index=3, history=(went_to("http://localhost:8000/films?page=2&seed=58"),)
    )
    assert navigated("/login", later) == ["http://localhost:8000/login?seed=58"]
    recorded = replace(step("http://localhost:8000/search?q=arrival&seed=58", index=3), start=START)
    assert navigated("/login", recorded) == ["http://localhost:8000/login?seed=58"]


def test_the_seed_is_found_in_the_history_when_the_page_lost_it() -> None:
    on = step("http://localhost:8000/done", index=2, history=(went_to(START),))
    assert navigated("/login", on) == ["http://localhost:8000/login?seed=58"]


def test_before_the_first_page_the_history_has_the_host_and_without_one_navigations_are_dropped() -> None:
    assert navigated("/login", step("about:blank", history=(went_to(START),))) == ["http://localhost:8000/login?seed=58"]
    assert permitted([actions.navigate(START), GO], step("about:blank")) == (GO,)


def test_where_the_tasks_address_has_no_query_the_links_own_stays() -> None:
    assert navigated("/a?seed=3", one_shot("http://localhost:8000/")) == ["http://localhost:8000/a?seed=3"]
    assert navigated("/a?seed=3", step("http://localhost:8000/")) == ["http://localhost:8000/a?seed=3"]


def test_a_one_shot_plan_begins_with_the_tasks_url() -> None:
    assert conform([GO], one_shot()) == (actions.navigate(START), GO)
    assert conform([], one_shot()) == (actions.navigate(START),)


@pytest.mark.parametrize("first", [START, "/", "http://localhost:8000?seed=58", "/#top"])
def test_a_first_navigation_to_the_tasks_url_is_not_doubled_but_exact(first: str) -> None:
    assert conform([actions.navigate(first), GO], one_shot()) == (actions.navigate(START), GO)


def test_another_first_navigation_comes_second() -> None:
    plan = conform([actions.navigate("/login"), GO], one_shot())
    assert plan == (actions.navigate(START), actions.navigate("http://localhost:8000/login?seed=58"), GO)


def test_going_back_from_the_first_page_is_dropped() -> None:
    back = validate({"type": "NavigateAction", "go_back": True})
    assert conform([back, actions.navigate(START), back, GO, back], one_shot()) == (actions.navigate(START), GO, back)


def test_step_plans_keep_their_beginning_and_history_moves() -> None:
    back = validate({"type": "NavigateAction", "go_back": True})
    assert conform([back, GO], step()) == (back, GO)


def test_tools_that_a_step_doesnt_allow_are_dropped_and_one_shot_tasks_have_no_such_list() -> None:
    allowed = frozenset({"browser.wait"})
    assert conform([GO, actions.wait(1)], step(allowed_tools=allowed)) == (actions.wait(1),)
    assert GO in conform([GO], one_shot(allowed_tools=allowed))


def test_done_is_never_sent_as_an_action() -> None:
    done = validate({"type": "DoneAction"})
    assert conform([GO, done], step()) == (GO,)
    assert done not in conform([GO, done], one_shot())


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("/login", "/login?seed=58"),
        ("/login?seed=58", "/login?seed=58"),
        ("/login?seed=7&x=1", "/login?x=1&seed=58"),
        ("http://localhost:8000/a", "http://localhost:8000/a?seed=58"),
        ("https://elsewhere.example/a", "https://elsewhere.example/a"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("#top", "#top"),
    ],
)
def test_a_selector_by_href_keeps_the_seed(href: str, kept: str) -> None:
    (click,) = permitted([actions.click(selectors.attribute("href", href))], step())
    assert click.fields["selector"] == selectors.attribute("href", kept)


def test_a_plan_is_no_longer_than_a_task_or_a_step_can_run() -> None:
    assert len(conform([GO] * 99, one_shot())) == MAX_ACTIONS
    assert len(conform([GO] * 99, step())) == MAX_STEP
    assert len(conform([GO] * 99, step(history=(went_to("http://localhost:8000/a"),) * 47))) == 3


def test_a_trajectory_that_is_too_long_loses_waits_before_anything_else() -> None:
    filled = [
        action for number in range(16) for action in (actions.type_text(selectors.attribute("name", f"f{number}"), "x"), actions.wait(0.5))
    ]
    whole = replace(one_shot(), endpoint="/find_trayectory")
    sent = conform([*filled, GO, actions.wait(2)], whole)
    assert len(sent) == MAX_TRAJECTORY
    assert [action.type for action in sent].count("TypeAction") == 16
    assert sent[-2:] == (GO, actions.wait(2))


def test_a_task_has_twelve_steps_where_one_action_of_each_is_run_and_fifty_actions_elsewhere() -> None:
    gone = went_to("http://localhost:8000/a")
    assert steps_left(step()) == MAX_STEPS
    assert steps_left(step(index=4, history=(gone,) * 4)) == MAX_STEPS - 4
    assert steps_left(step(index=2, history=(gone,) * 9)) == MAX_ACTIONS - 9
    assert steps_left(step(index=30, history=(gone,) * 30)) == 1


def _repaired(raw: object) -> list[Action]:
    try:
        return [repair(raw)]
    except InvalidAction:
        return []


PLANS = st.lists(near_actions() | URLS.map(lambda url: {"type": "goto", "url": url}), max_size=4).map(
    lambda raws: [action for raw in raws for action in _repaired(raw)]
)
STEPS = st.builds(
    lambda make, url, index, past: make(url, index=index, history=tuple(map(went_to, past))),
    st.sampled_from([one_shot, step]),
    URLS | st.just("about:blank"),
    st.integers(0, 1),
    st.lists(URLS, max_size=2),
)


@settings(max_examples=300)
@given(PLANS, STEPS)
def test_whatever_the_plan_and_the_step_the_conventions_hold(plan: list[Action], on: Step) -> None:
    sent = conform(plan, on)
    site = site_of(on)
    for action in sent:
        assert validate(action.as_action()) == action
        if "url" in action.fields:
            assert site is not None
            there, home = urlsplit(action.fields["url"]), urlsplit(site.url)
            assert (there.scheme, there.netloc) == (home.scheme, home.netloc)
            assert action.fields["url"] == site.url or set(site.fixed) <= set(query_parts(there.query))
    if on.form is Form.ONE_SHOT and site:
        assert sent[0] == actions.navigate(site.url)
    assert conform(sent, on) == sent
