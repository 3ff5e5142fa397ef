"""One-shot plans by a site's facts, run on a small paper site, and properties of all of them."""

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.configuration.known_sites import KNOWN, known_sites, load
from agents.contract.actions import validate
from agents.contract.limits import MAX_ACTIONS
from agents.contract.origins import query_parts, split_http
from agents.contract.protocol import Form, PastAction, Plan, Step, parse
from agents.template import plan
from agents.template.sites.site_facts import Sites
from agents.template.sites.site_plans import by_facts
from agents.tests.paper_browser import Outcome, PaperBrowser
from agents.tests.template.test_intents import CHAINS, CRITERIA, LOGIN_FIRST, PROMPTS

KNOWN_SITES, _ = load(KNOWN)
FACTS = """
login = [
  { open = "/enter" },
  { fill = "(//form//input)[1]", with = "username", else = "<username>" },
  { fill = "//input[@type='password']", with = "password", else = "<password>" },
  { press = "//form//button" },
  { wait = 2 },
]

[items.lamp]
list = "/lamps"
card = "//article"
link = "//a"
texts = { "name|subject" = ".//h3" }
numbers = { price = ".//b" }

[[ways]]
task = "write a note"
says = ["note"]
login = true
actions = [
  { list = "lamp" },
  { item = "lamp" },
  { fill = "//form//input[@name='who']", with = "writer", else = "Ann" },
  { fill = "//form//textarea", with = "text" },
  { choose = "//form//select", with = "stars", options = [5, 4, 3] },
  { fill = "//form//input[@name='mail']", with = "mail|email" },
  { press = "//form//button" },
]

[[ways]]
task = "look up"
says = ["look up"]
actions = [{ open = "/lamps/{word}" }, { press = "//a[contains(@href,{word})]" }, { enter = "//input", if = "word" }, { keys = "Enter" }]

[[ways]]
task = "choose a year"
says = ["year"]
actions = [{ open = "/years" }, { choose = "//select", with = "year", tries = 3 }]

[[ways]]
task = "open a lamp"
says = ["lamps?"]
actions = [{ list = "lamp" }, { item = "lamp" }]

[items.plant]
list = "/plants"
card = "//article"
link = "//a"
next = "//a[@rel='next']"
here = "//main[@class='list']"
texts = { name = ".//h3" }

[[ways]]
task = "open a plant"
says = ["plant"]
actions = [{ list = "plant" }, { item = "plant" }]

[[ways]]
task = "buy a lamp"
says = ["buy"]
actions = [{ list = "lamp" }, { item = "lamp", inside = "//button[contains(.,{size})]", else = "small", with = "size" }]

[[ways]]
task = "gather lamps"
says = ["gather"]
actions = [{ item = "lamp", each = "name|names" }, { press = "//button[@id='more']", times = "quantity" }]
"""
CARD = (
    "<div><article><h3>{name}</h3><b>{price} $</b><div><a href='/lamps/{at}?seed=58'>More</a><button>small</button></div></article></div>"
)
FORM = (
    "<form action='/notes'><input name=who><input name=mail type=email><textarea name=text></textarea>"
    "<select name=stars><option>3</option><option>4</option><option>5</option></select><button>Send</button></form>"
)
PAGES = {
    "/": "<p>Lamps</p>",
    "/enter": "<form action='/session'><input name=username><input type=password name=password><button>Go</button></form>",
    "/lamps": "".join(CARD.format(name=name, price=price, at=at) for at, (name, price) in enumerate([("Owl", 20), ("Moon", 80)])),
    **{
        f"/plants{page}": f"<main class=list><h1>Plants</h1><article><h3>{name}</h3><a href='/plant/{name}'>More</a></article>{more}</main>"
        for page, name, more in [
            ("", "Fern", "<a rel=next href='/plants2'>2</a>"),
            ("2", "Ivy", "<a rel=next href='/plants3'>3</a>"),
            ("3", "Moss", ""),
        ]
    },
    **{
        f"/plant/{name}": f"<h1>{name}</h1><article><h3>Other</h3><a href='/plant/Other'>x</a></article>"
        for name in ("Fern", "Ivy", "Moss")
    },
    "/lamps/0": FORM,
    "/lamps/1": FORM,
}
START = "http://localhost:8000/?seed=58"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    folder = tmp_path_factory.mktemp("facts")
    (folder / "lamps.toml").write_text(FACTS, "utf-8")
    return load(folder)[0]


def step(prompt: str, project: str = "lamps", url: str = START) -> Step:
    return Step("/solve_task", Form.ONE_SHOT, "t", prompt, url, "", 0, project=project)


def planned(prompt: str, sites: Sites, project: str = "lamps", url: str = START) -> Plan:
    return plan(step(prompt, project, url), None, by_facts(sites))


def run(prompt: str, sites: Sites) -> Outcome:
    made, browser = planned(prompt, sites), PaperBrowser(PAGES)
    history = [PastAction(action.type, action.fields, browser.run(action), "", browser.url) for action in made.actions]
    assert not browser.failures
    return Outcome(browser, [made], history)


def test_an_item_is_opened_by_its_cards_texts(sites: Sites) -> None:
    assert run("Open the lamp where the price is greater than 50", sites).browser.visited == ["/", "/lamps", "/lamps/1"]
    assert run("Open the lamp 'Owl'", sites).browser.visited[-1] == "/lamps/0"


def test_the_first_card_is_pressed_if_none_meets_the_criteria(sites: Sites) -> None:
    assert run("Open the lamp where the price is greater than 500", sites).browser.visited[-1] == "/lamps/0"


@pytest.mark.parametrize(
    ("name", "visited"),
    [
        ("Fern", ["/plants", "/plant/Fern"]),
        ("Ivy", ["/plants", "/plants2", "/plant/Ivy"]),
        ("Moss", ["/plants", "/plants2", "/plants3", "/plant/Moss"]),
        ("Yew", ["/plants", "/plants2", "/plants3", "/plant/Moss"]),
    ],
)
def test_an_item_is_searched_for_on_the_lists_next_pages(sites: Sites, name: str, visited: list[str]) -> None:
    assert run(f"Open the plant where the name equals '{name}'", sites).browser.visited[1:] == visited


def test_as_many_pages_of_a_list_are_searched_as_its_facts_state(tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_text(FACTS.replace("next = \"//a[@rel='next']\"", "next = \"//a[@rel='next']\"\npages = 1"), "utf-8")
    sites, faults = load(tmp_path)
    assert not faults
    assert run("Open the plant where the name equals 'Moss'", sites).browser.visited[1:] == ["/plants", "/plants2", "/plant/Ivy"]


def test_an_item_without_conditions_is_pressed_at_once(sites: Sites) -> None:
    assert run("Open a plant", sites).browser.visited[1:] == ["/plants", "/plant/Fern"]
    assert sum(action.type == "ClickAction" for action in planned("Open a plant", sites).actions) == 1


def test_a_form_is_filled_by_the_criteria_and_its_defaults(sites: Sites) -> None:
    outcome = run("Write a note on a lamp where the name is not 'Owl', the text contains 'warm' and the stars is less than 5", sites)
    assert outcome.browser.visited == ["/", "/enter", "/session", "/lamps", "/lamps/1", "/notes"]
    assert outcome.browser.sent[1] == ("/notes", {"who": "Ann", "mail": "", "text": "warm", "stars": "4"})


@pytest.mark.parametrize(("wish", "who"), [("is not 'Eve'", "Ann"), ("does not contain 'nn'", "Other"), ("contains 'Eve'", "Eve")])
def test_the_default_is_typed_if_a_prompt_only_excludes_other_values(sites: Sites, wish: str, who: str) -> None:
    assert run(f"Write a note where the writer {wish}", sites).browser.sent[1][1]["who"] == who


@pytest.mark.parametrize(
    ("wish", "typed"),
    [
        ("contains 'lamp.example'", "jordan@lamp.example"),
        ("contains '.gar'", "jordan.gar@example.com"),
        ("contains '@med'", "jordan@med.example.com"),
        ("contains 'lamp'", "jordanlamp@example.com"),
        ("equals 'a@b.example'", "a@b.example"),
        ("equals 'no address'", "no address"),
    ],
)
def test_a_value_for_an_email_field_is_an_address_whatever_it_must_contain(sites: Sites, wish: str, typed: str) -> None:
    assert run(f"Write a note where the email {wish}", sites).browser.sent[1][1]["mail"] == typed


def test_an_account_is_entered_with_the_prompts_credentials(sites: Sites) -> None:
    outcome = run("Login with username equals 'u<web_agent_id>' and password equals 'pw', then open the lamp 'Moon'", sites)
    assert outcome.browser.sent == [("/session", {"username": "u<web_agent_id>", "password": "pw"})]
    assert outcome.browser.visited[-1] == "/lamps/1"


def test_a_task_that_needs_an_account_uses_the_callers_placeholders(sites: Sites) -> None:
    assert run("Write a note where the text equals 'x'", sites).browser.sent[0][1] == {"username": "<username>", "password": "<password>"}


def test_values_are_written_into_routes_and_xpaths(sites: Sites) -> None:
    made = planned("Look up where the word equals 'it's 50%'", sites)
    assert made.actions[2].fields["url"] == "http://localhost:8000/lamps/it%27s%2050%25?seed=58"
    assert made.actions[4].fields["selector"]["value"] == '//a[contains(@href,"it\'s 50%")]'
    assert [action.type for action in made.actions[5:]] == ["WaitAction", "SubmitAction", "WaitAction", "SendKeysIWAAction", "WaitAction"]


def test_an_action_without_its_value_is_left_out(sites: Sites) -> None:
    assert [action.type for action in planned("Look up", sites).actions[2:]] == ["SendKeysIWAAction", "WaitAction"]


def test_neighbouring_values_that_meet_the_criteria_are_tried_if_the_options_are_unknown(sites: Sites) -> None:
    made = planned("Choose a year where the year is less equal 2010", sites)
    assert [action.fields["text"] for action in made.actions if "text" in action.fields] == ["2010", "2009", "2008"]


def test_a_press_within_a_card_is_selected_by_the_prompt(sites: Sites) -> None:
    assert "contains(.,'large')" in planned("Buy where the size equals 'large'", sites).actions[-2].fields["selector"]["value"]
    assert "contains(.,'small')" in planned("Buy", sites).actions[-2].fields["selector"]["value"]


def presses(prompt: str, sites: Sites) -> list[str]:
    return [action.fields["selector"]["value"] for action in planned(prompt, sites).actions if action.type == "ClickAction"]


def test_an_action_is_repeated_for_each_of_several_values(sites: Sites) -> None:
    owl, moon = presses("Gather where the name is one of ['Owl', 'Moon']", sites)
    assert "='owl'" in owl
    assert "='moon'" in moon
    assert len(presses("Gather where the name equals 'Owl'", sites)) == 1


@pytest.mark.parametrize(
    ("wish", "more"),
    [
        ("equals '4'", 3),
        ("is greater than 2", 2),
        ("is less than 9", 0),
        ("is NOT '1'", 1),
        ("is greater than 500", 0),
        ("contains 'x'", 0),
    ],
)
def test_an_action_with_a_number_is_repeated_until_it_is_met(sites: Sites, wish: str, more: int) -> None:
    assert presses(f"Gather where the quantity {wish}", sites).count("//button[@id='more']") == more


def test_conditions_are_tested_once_and_not_for_each_card(sites: Sites) -> None:
    (pressed,) = presses("Open the lamp where the price is greater than 50", sites)
    assert "(//article)[1][not(" in pressed
    assert "//article[not(" not in pressed


def test_a_task_without_a_plan_is_done_as_on_an_unknown_site(sites: Sites) -> None:
    known, unknown = planned("Log out", sites), planned("Log out", sites, project="elsewhere")
    assert known == unknown
    assert len(known.actions) > 1


def test_sites_are_identified_by_the_callers_project_id() -> None:
    made = plan(step("Fill out the contact form where the name equals 'Ann'", "autocinema"), None, by_facts(KNOWN_SITES))
    assert "/contact?seed=58" in " ".join(action.fields.get("url", "") for action in made.actions)
    assert "autocinema" in made.reasoning
    assert (made.confidence, made.confidence_why) == (0.95, "The plan is from facts about the site.")


def test_criteria_that_are_too_long_for_a_selector_still_leave_a_plan(sites: Sites) -> None:
    made = planned(f"Open the lamp where the name is not one of {[f'{at} owls and more' for at in range(60)]}", sites)
    assert made.actions[-2].type == "ClickAction"


@pytest.mark.parametrize(
    "prompt", ["Open the film " + "'x' " * 1300, "Open where " + "name is not 'a' and " * 200, "Share " + "is " * 2000, "'" * 4000]
)
def test_a_prompt_of_nothing_but_values_is_planned_in_time(prompt: str) -> None:
    started = time.thread_time()
    plan(step(prompt, "autocinema"), None)
    assert time.thread_time() - started < 10


PROMPT_TEXTS = [*(prompt[0] for prompt in (*PROMPTS, *LOGIN_FIRST, *CHAINS, *CRITERIA))]
NOUNS = st.sampled_from(["film", "book", "product", "comment", "review", "profile", "watchlist", "cart", "order", "lamp", "year", "note"])
VERBS = st.sampled_from(
    ["Open", "Delete", "Edit", "Share", "Add", "Filter", "Search for", "Log in, then add", "Buy", "Look up", "Register"]
)
CLAUSES = st.builds(
    "{} {} {}".format,
    st.sampled_from(["name", "year", "rating", "genre", "price", "content", "first_name", "quantity", "word"]),
    st.sampled_from(["equals", "is NOT", "contains", "does NOT CONTAIN", "is less than", "is greater equal", "is one of"]),
    st.sampled_from(["'Owl'", "'it's'", "7", "'9.5'", "['a', 'b']", "''", "<username>", "\"x' or 'y\"", "'\ud800'", "'" + "x" * 390 + "'"]),
)
MADE = st.builds("{} the {} where {}".format, VERBS, NOUNS, st.lists(CLAUSES, max_size=4).map(" and ".join))
URLS = st.sampled_from([START, "http://localhost:8000/?x=<username>&seed=7", "http://127.0.0.1:9/a/b?seed=123&y=%20", "http://[::1]:8000/"])


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(PROMPT_TEXTS) | MADE | st.text(max_size=60), st.sampled_from(["lamps", *KNOWN_SITES, "elsewhere"]), URLS)
def test_every_one_shot_list_keeps_the_callers_rules(sites: Sites, prompt: str, project: str, url: str) -> None:
    made = planned(prompt, {**KNOWN_SITES, **sites}, project, url)
    first, *rest = made.actions
    assert first.fields == {"url": url}
    assert len(made.actions) <= MAX_ACTIONS
    assert all(validate(action.as_action()) == action for action in made.actions)
    assert all("WaitAction" in {action.type, other.type} for action, other in pairwise(rest))
    assert least_seconds(made) < 120
    parts_of_url = query_parts((split_http(url) or split_http(START)).query)  # type: ignore[union-attr]
    for action in made.actions:
        if "url" in action.fields:
            parts = split_http(action.fields["url"])
            assert parts is not None
            assert parts.netloc == split_http(url).netloc  # type: ignore[union-attr]
            assert all(query_parts(parts.query).count(part) == 1 for part in parts_of_url)


def least_seconds(made: Plan) -> float:
    """The waits' seconds, and 3 s for each press."""
    return sum(float(action.fields.get("time_seconds", 3 if action.type == "ClickAction" else 0)) for action in made.actions)


def test_a_first_step_without_a_page_gets_the_plan_of_the_site_at_its_port() -> None:
    prompt, url = "Log in where username equals <username> and password equals <password>", "http://localhost:8000/?seed=58"
    named = {"id": "t", "prompt": prompt, "url": url, "web_project_id": "autocinema"}
    unnamed = {"task_id": "t", "prompt": prompt, "url": url, "html": "", "step_index": 0}
    named_plan = plan(parse("/solve_task", json.dumps(named).encode()), None, by_facts(known_sites()))
    assert plan(parse("/step", json.dumps(unnamed).encode()), None, by_facts(known_sites())).actions == named_plan.actions
    elsewhere = parse("/step", json.dumps(unnamed | {"url": url.replace("8000", "8999")}).encode())
    assert plan(elsewhere, None, by_facts(known_sites())).actions != named_plan.actions
