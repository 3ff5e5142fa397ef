"""Plans of the template agent, run to their end on sites of paper."""

from dataclasses import replace

import pytest

from agents.contract.protocol import Form, PastAction, Step
from agents.template import blind_xpath, plain, plan
from agents.tests.demo_sites import cinema, shop
from agents.tests.paper_browser import START, Outcome, one_shot, step_by_step

LOGIN = "Log in where username equals <username> and password equals <password>"
REGISTER = "Register with the following username:<signup_username>,email:<signup_email> and password:<signup_password>"
ACCOUNT = {"username": "<username>", "password": "<password>"}
NEW_ACCOUNT = {"username": "<signup_username>", "email": "<signup_email>", "password": "<signup_password>"}

SITES = [pytest.param(cinema(seed), id=f"cinema-{seed}") for seed in (58, 7, 301)] + [pytest.param(shop(), id="shop")]
CALLERS = [
    pytest.param({"first_only": True}, id="runs-the-first-call"),
    pytest.param({"first_only": False}, id="runs-all-calls"),
    pytest.param({"first_only": True, "nameless": True}, id="keeps-no-selectors"),
    pytest.param({"first_only": True, "filled_in": True}, id="shows-filled-in-placeholders"),
    pytest.param({"first_only": False, "nameless": True}, id="runs-all-calls-keeps-no-selectors"),
]


def sent(outcome: Outcome, path: str) -> dict[str, str]:
    forms = [values for action, values in outcome.browser.sent if action == path]
    assert len(forms) == 1, outcome.browser.sent
    return forms[0]


def step(prompt: str, html: str = "", *, history: tuple[PastAction, ...] = (), url: str = START, form: Form = Form.STEP) -> Step:
    return Step("/step", form, "t", prompt, url, html, len(history), history)


@pytest.mark.parametrize("pages", SITES[:3])
def test_a_one_shot_plan_logs_in_on_a_site_it_has_not_seen(pages: dict[str, str]) -> None:
    outcome = one_shot(LOGIN, pages)
    assert sent(outcome, "/session") == ACCOUNT
    assert not outcome.browser.failures


def test_a_one_shot_plan_logs_in_where_a_button_leads_to_the_form() -> None:
    assert sent(one_shot(LOGIN, shop()), "/session") == ACCOUNT


@pytest.mark.parametrize("pages", SITES)
def test_a_one_shot_plan_registers_on_a_site_it_has_not_seen(pages: dict[str, str]) -> None:
    values = sent(one_shot(REGISTER, pages), "/accounts")
    assert values | NEW_ACCOUNT == values
    assert values.get("confirm", "<signup_password>") == "<signup_password>"


@pytest.mark.parametrize("pages", SITES)
def test_a_one_shot_plan_searches_on_a_site_it_has_not_seen(pages: dict[str, str]) -> None:
    values = sent(one_shot("Search for the film 'Arrival'", pages), "/search")
    assert "Arrival" in values.values()


def test_a_one_shot_plan_logs_in_and_then_out() -> None:
    outcome = one_shot("Login with username:<username> and password:<password>, then logout", cinema())
    assert sent(outcome, "/session") == ACCOUNT
    assert outcome.browser.visited[-1] == "/bye"


def test_a_one_shot_plan_opens_an_item_by_name() -> None:
    assert one_shot("Show details for the film 'Pulp Fiction'", cinema()).browser.visited[-1] == "/movies/2"


def test_a_one_shot_plan_goes_to_a_page() -> None:
    assert one_shot("Navigate to the contact page", cinema()).browser.visited[-1] == "/contact"


@pytest.mark.parametrize("pages", SITES)
def test_a_one_shot_plan_uses_the_page_if_it_was_sent(pages: dict[str, str]) -> None:
    outcome = one_shot("Search for 'Arrival'", pages, html=pages["/"])
    typed = next(action for action in outcome.plans[0].actions if action.type == "TypeAction")
    assert typed.fields["selector"]["value"] != blind_xpath.TEXT_FIELD
    assert "Arrival" in sent(outcome, "/search").values()


@pytest.mark.parametrize("prompt", [LOGIN, REGISTER, "Search for 'x'", "Open the film 'Arrival'", "Go home", "Hide the post", ""])
def test_a_one_shot_plan_opens_the_tasks_url_first(prompt: str) -> None:
    first = plan(step(prompt, form=Form.ONE_SHOT), None).actions[0]
    assert (first.type, first.fields["url"]) == ("NavigateAction", START)


def test_a_url_in_the_prompt_is_opened_with_the_tasks_seed() -> None:
    made = plan(step("Open http://localhost:8000/about?x=1&seed=3", form=Form.ONE_SHOT), None)
    assert made.actions[-1].fields["url"] == "http://localhost:8000/about?x=1&seed=58"


def test_no_two_risky_actions_of_a_one_shot_plan_follow_without_a_wait() -> None:
    types = [action.type for action in plan(step(f"{LOGIN}, then log out", form=Form.ONE_SHOT), None).actions[1:]]
    assert types[1::2] == ["WaitAction"] * len(types[1::2])


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("pages", SITES)
def test_steps_log_in(pages: dict[str, str], caller: dict[str, bool]) -> None:
    outcome = step_by_step(LOGIN, pages, **caller)
    assert {key: sent(outcome, "/session")[key].strip("<>") for key in ACCOUNT} == {"username": "username", "password": "password"}
    assert outcome.done
    assert not outcome.browser.failures


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("pages", SITES)
def test_steps_register(pages: dict[str, str], caller: dict[str, bool]) -> None:
    outcome = step_by_step(REGISTER, pages, **caller)
    values = sent(outcome, "/accounts")
    assert values | NEW_ACCOUNT == values
    assert values.get("confirm", "<signup_password>") == "<signup_password>"
    assert values.get("terms", "on") == "on"
    assert outcome.done


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("pages", SITES)
def test_steps_search(pages: dict[str, str], caller: dict[str, bool]) -> None:
    outcome = step_by_step("Search for the film 'Arrival'", pages, **caller)
    assert "Arrival" in sent(outcome, "/search").values()
    assert outcome.done


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("pages", SITES)
def test_steps_log_in_and_then_out(pages: dict[str, str], caller: dict[str, bool]) -> None:
    outcome = step_by_step("Login for the following username:<username> and password:<password>, then logout", pages, **caller)
    assert len(outcome.browser.sent) == 1
    assert outcome.browser.visited[-1] == "/bye"
    assert outcome.done


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("prompt", "pages", "path"),
    [
        ("Show details for the film 'Pulp Fiction'", cinema(), "/movies/2"),
        ("Navigate to The Matrix movie page", cinema(7), "/movies/0"),
        ("View the product page of the Smart Watch", shop(), "/p/1"),
        ("Navigate to the contact page", cinema(301), "/contact"),
        ("Add the Smart Watch to my cart", shop(), "/cart/1"),
        ("Add 'Stand Mixer' to the cart", shop(), "/cart/2"),
    ],
)
def test_steps_open_the_requested_page_or_item(prompt: str, pages: dict[str, str], path: str, caller: dict[str, bool]) -> None:
    outcome = step_by_step(prompt, pages, **caller)
    assert outcome.browser.visited[1:] == [path]
    assert outcome.done


def test_steps_log_in_before_the_task_itself() -> None:
    prompt = "Login with the username equals <username> and password equals <password> and then open the Interstellar movie page"
    outcome = step_by_step(prompt, cinema(), first_only=True)
    assert sent(outcome, "/session") == ACCOUNT
    assert outcome.browser.visited[-1] == "/movies/3"


@pytest.mark.parametrize("caller", CALLERS)
def test_steps_do_a_task_between_logging_in_and_out(caller: dict[str, bool]) -> None:
    prompt = "Login with the username equals <username> and password equals <password>, open the contact page and then log out"
    home = cinema()["/home"].replace("<a href='/profile", "<a href='/contact?seed=58'>Contact</a><a href='/profile")
    outcome = step_by_step(prompt, cinema() | {"/home": home, "/contact": home}, **caller)
    assert len(outcome.browser.sent) == 1
    assert outcome.browser.visited[-2:] == ["/contact", "/bye"]
    assert outcome.done


@pytest.mark.parametrize("caller", CALLERS)
def test_steps_search_and_then_open_the_result(caller: dict[str, bool]) -> None:
    outcome = step_by_step("Search for 'Arrival' and then open the film 'Arrival'", cinema(), **caller)
    assert "Arrival" in sent(outcome, "/search").values()
    assert outcome.browser.visited[-1] == "/movies/1"
    assert outcome.done


def test_a_one_shot_plan_searches_and_then_opens_the_result() -> None:
    outcome = one_shot("Search for 'Arrival' and then open the film 'Arrival'", cinema())
    assert outcome.browser.sent[0] == ("/search", {"query": "Arrival"})
    assert outcome.browser.visited[-1] == "/movies/1"


def test_criteria_of_any_other_task_fill_the_fields_they_name() -> None:
    pages = cinema() | {"/": cinema()["/contact"]}
    prompt = (
        "Send a message where name not equals 'Ann' and email equals 'a@b.org' and topic is one of ['Support', 'x'] "
        "and message contains 'hi there'"
    )
    values = sent(step_by_step(prompt, pages, first_only=False), "/messages")
    assert values.pop("name") not in {"", "Ann"}
    assert values.pop("message").startswith("hi there")
    assert values == {"email": "a@b.org", "topic": "Support"}


def failing(made_by: Step, count: int = 1) -> Step:
    """The same step once its first actions have failed."""
    actions = [action for action in plan(made_by, None).actions if action.type != "WaitAction"][:count]
    past = tuple(PastAction(action.type, action.fields, succeeded=False, error="not found", url=made_by.url) for action in actions)
    return replace(made_by, history=made_by.history + past, index=made_by.index + 1)


def test_a_failed_action_is_not_sent_again_but_the_next_selector_is() -> None:
    before = step("Search for 'Arrival'", shop()["/"])
    first = plan(before, None).actions[0]
    lead, second = plan(failing(before), None).actions[:2]
    assert lead.type == "WaitAction"
    assert (second.type, second.fields["text"]) == ("TypeAction", "Arrival")
    assert second.fields["selector"] != first.fields["selector"]


def test_a_control_whose_selectors_all_fail_is_skipped() -> None:
    now = step("Search for 'Arrival'", shop()["/"])
    for _ in range(3):
        now = failing(now)
    assert [action.type for action in plan(now, None).actions] == ["WaitAction", "SubmitAction"]


def test_a_form_that_is_still_there_after_it_was_sent_gets_a_wait_and_is_then_left() -> None:
    stays = cinema()["/login"].replace("<form ", "<form data-stays=1 ")
    outcome = step_by_step(LOGIN, cinema() | {"/login": stays}, first_only=False)
    assert len(outcome.browser.sent) == 1
    assert outcome.plans[-2].actions[0].type == "WaitAction"
    assert outcome.done


def test_a_task_ends_with_a_wait_so_that_the_site_can_record_the_last_action() -> None:
    outcome = step_by_step("Search for 'Arrival'", shop(), first_only=True)
    assert [plan.actions[0].type for plan in outcome.plans[:-1]][-1] == "WaitAction"
    assert outcome.done


def test_a_log_in_form_may_have_its_password_first() -> None:
    swapped = (
        "<form action='/session'><label>Security key<input id=a type=password name=password></label>"
        "<label>User name<input id=b type=text name=username></label><button type=submit>Go</button></form>"
    )
    assert sent(step_by_step(LOGIN, cinema() | {"/login": swapped}, first_only=False), "/session") == ACCOUNT


def test_a_page_is_found_by_its_address_if_the_link_has_another_label() -> None:
    menu = "<a href='/cart?seed=7'>Carrito</a><a href='/wishlist?seed=7'>Shopping ideas</a>"
    (pressed,) = plan(step("Show me my shopping cart", menu), None).actions
    assert pressed.fields["selector"]["value"].startswith("/cart?")


def test_a_view_is_chosen_from_the_menu_that_hides_it() -> None:
    hidden = "<button aria-label='Previous month'>x</button><button aria-label='Select calendar view'>Week</button>"
    (opened,) = plan(step("Switch to the month view", hidden), None).actions
    assert "Select calendar view" in str(opened.fields)
    history = (PastAction(opened.type, opened.fields, succeeded=True, error="", url=START),)
    shown = plan(step("Switch to the month view", hidden + "<button aria-label='Show month view'>Monthly</button>", history=history), None)
    assert "Show month view" in str(shown.actions[0].fields)
    assert not shown.done


def test_a_box_is_ticked_off_by_its_label() -> None:
    boxes = "<input id=a type=checkbox aria-label='Toggle Work lists' checked><input id=b type=checkbox aria-label='Toggle Garden lists' checked>"
    (pressed,) = plan(step("Unselect the Garden lists", boxes), None).actions
    assert "Garden" in str(pressed.fields) or pressed.fields["selector"]["value"] == "b"


def test_an_item_is_ticked_in_its_list_before_the_button_for_ticked_items_is_pressed() -> None:
    rows = "".join(
        f"<li><input type=checkbox><a href='/cases/{at}?seed=58'>{name}</a> <span>Status: {status}</span></li>"
        for at, (name, status) in enumerate((("Holt", "Open"), ("Brandt", "Closed"), ("Moss", "Open")))
    )
    prompt, here = "Delete the case where status equals 'Closed'", "http://localhost:8000/cases?seed=58"
    (ticked,) = plan(step(prompt, f"<ul>{rows}</ul>", url=here), None).actions
    assert "input" in str(ticked.fields)
    history = (PastAction(ticked.type, ticked.fields, succeeded=True, error="", url=here),)
    after = plan(step(prompt, f"<button>Delete</button><ul>{rows}</ul>", url=here, history=history), None)
    assert "Delete" in str(after.actions[-1].fields)


NAVIGATION = "<nav><a href='/matters?seed=7'>Active cases</a><a href='/clients?seed=7'>Contacts</a></nav>"


@pytest.mark.parametrize(
    ("prompt", "section"),
    [
        ("Delete the client where status equals 'Closed'", "/clients?"),
        ("View the details of a client where matters greater than 4", "/clients?"),
        ("Search for cases where query contains 'Holt'", "/matters?"),
        ("Sort the matters by date", "/matters?"),
    ],
)
def test_a_task_begins_in_the_part_of_the_site_that_it_is_about(prompt: str, section: str) -> None:
    (pressed,) = plan(step(prompt, NAVIGATION), None).actions
    assert pressed.fields["selector"]["value"].startswith(section)


def test_a_tab_that_is_open_is_not_pressed_again_where_the_history_has_no_selectors() -> None:
    tab = "<button role=tab aria-selected=true>Manage Films</button>"
    form = "<form><input name=title value=Dusk><input name=year value=1980><button type=submit>Save changes</button></form>"
    html = f"<body><a href=/logout>Log out</a>{tab}<h1>Hello</h1>{form}</body>"
    entered = [PastAction(type_, {}, True, "", "") for type_ in ("ClickAction", "TypeAction", "TypeAction", "ClickAction", "ClickAction")]
    prompt = "Log in with username equals '<username>' and password equals '<password>' and then edit your film where year equals '1983'."
    url = "http://localhost:8000/profile?seed=58"
    assert plan(step(prompt, html.replace("true", "false"), history=tuple(entered[:4]), url=url), None).actions[0].type == "ClickAction"
    assert plan(step(prompt, html, history=tuple(entered), url=url), None).actions[0].fields["text"] == "1983"


def test_a_dialog_in_the_way_is_closed_first() -> None:
    dialog = "<dialog open aria-modal='true'><div><p>Welcome</p><button>Got it</button></div></dialog>"
    first = plan(step("Search for 'x'", shop()["/"] + dialog), None).actions[0]
    assert first.type == "ClickAction"
    assert "Got it" in str(first.fields)


def test_closing_a_dialog_is_not_taken_for_sending_the_search() -> None:
    before = step("Search for 'Arrival'", shop()["/"])
    typed = plan(before, None).actions[0]
    closed = PastAction(
        "ClickAction", {"selector": {"type": "xpathSelector", "value": "//button[.='Got it']"}}, succeeded=True, error="", url=START
    )
    made = plan(replace(before, history=(PastAction(typed.type, typed.fields, succeeded=True, error="", url=START), closed)), None)
    assert [action.type for action in made.actions] == ["SubmitAction"]


def test_an_empty_page_is_waited_for_then_opened_then_used_unseen() -> None:
    history: tuple[PastAction, ...] = ()
    types = []
    for _ in range(3):
        action = plan(step("Search for 'x'", "", history=history), None).actions[0]
        types.append(action.type)
        history += (PastAction(action.type, action.fields, succeeded=True, error="", url=START),)
    assert types == ["WaitAction", "NavigateAction", "TypeAction"]


def test_a_step_without_any_known_page_ends_after_two_waits() -> None:
    waits = tuple(PastAction("WaitAction", {"time_seconds": 1}, succeeded=True, error="", url="about:blank") for _ in range(2))
    assert not plan(step("Search for 'x'", url="about:blank"), None).done
    assert plan(step("Search for 'x'", url="about:blank", history=waits), None).done


def test_nothing_to_do_at_the_first_step_is_a_wait_and_then_done() -> None:
    html = "<a href='/imprint?seed=58'>Imprint</a>"
    assert [action.type for action in plan(step("Frobnicate", html), None).actions] == ["WaitAction"]
    waited = (PastAction("WaitAction", {"time_seconds": 1.5}, succeeded=True, error="", url=START),)
    assert plan(step("Frobnicate", html, history=waited), None).done


def test_placeholders_are_copied_verbatim() -> None:
    texts = [action.fields["text"] for action in plan(step(LOGIN, cinema()["/login"]), None).actions if action.type == "TypeAction"]
    assert texts == ["<username>", "<password>"]


def test_the_plain_plan_opens_the_url_or_waits() -> None:
    assert plain(step("x", form=Form.ONE_SHOT)).actions[0].fields == {"url": START}
    assert [action.type for action in plain(step("x")).actions] == ["WaitAction"]
    assert plain(step("  ")).done
