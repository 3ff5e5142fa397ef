"""A site whose pages were sent in steps at one seed: one-shot tasks of other kinds are planned from its map at others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agents.contract.protocol import Form, Step
from agents.learning.reading.pages import MOST_HTML, Fact, lists, reduced
from agents.learning.reading.pages import learned as learned_of
from agents.page import read
from agents.template import plan
from agents.template.sites.site_facts import SiteFacts
from agents.template.sites.site_map import route_of
from agents.template.sites.site_plans import by_facts
from agents.tests.mail_site import MailSite
from agents.tests.mini_site import MiniSite
from agents.tests.site_maps import at_once, facts_of, taught
from agents.tests.solution_runs import by_llm, solutions_of
from agents.tests.solution_sites import FERRY, SHED
from agents.tests.template.test_tasks_in_chromium import JOBS

TAUGHT, SEEN, SEEDS = ("detail", "contact", "watchlist"), 2, (4, 5, 7, 8, 10)


@pytest.fixture(scope="module")
def learned() -> SiteFacts:
    runs = [(SEEN, name) for name in TAUGHT] + [(seed, "contact") for seed in (1, 11)]
    return taught((MiniSite(seed, greets=False), JOBS[name].prompt) for seed, name in runs)


def won(name: str, seed: int, learned: SiteFacts) -> bool:
    job, site = JOBS[name], MiniSite(seed, greets=False)
    at_once(site, job.prompt, learned)
    events = [event.data for event in site.events if event.kind == job.kind]
    return bool(events) and job.meets(events[-1])


def test_other_kinds_of_task_are_done_at_once_at_other_seeds(learned: SiteFacts) -> None:
    others = [name for name in JOBS if name not in TAUGHT]
    unseen = [name for name in others for seed in SEEDS[:2] if won(name, seed, SiteFacts())]
    done = [name for name in others for seed in SEEDS if won(name, seed, learned)]
    assert len(done) >= 0.7 * len(others) * len(SEEDS) > 2 * len(unseen) * len(SEEDS) / 2
    assert {"filter", "comment", "search"} <= {name for name in others if done.count(name) == len(SEEDS)}


def test_the_recorded_tasks_are_done_at_once_too(learned: SiteFacts) -> None:
    assert all(won("detail", seed, learned) for seed in SEEDS)


def test_a_forms_fields_are_located_by_their_names_at_earlier_seeds(learned: SiteFacts) -> None:
    assert all(won("contact", seed, learned) for seed in SEEDS)
    fields = learned.forms["/contact > //form[.//textarea] with 5 fields"]
    assert [field.kind for field in fields].count("send") == 1 and {"name", "your name"} <= {
        name for field in fields for name in field.names
    }


def test_pressable_rows_are_found_again_by_their_texts() -> None:
    known = taught([(MailSite(SEEN), MailSite(SEEN).prompt("detail"))])
    for name, event in (("star", "star"), ("reply", "reply"), ("archive", "archive")):
        for seed in SEEDS[:2]:
            site = MailSite(seed)
            at_once(site, site.prompt(name), known)
            assert [data["subject"] for kind, data in site.events if kind == event] == [site.rows()[1]["subject"]]


def test_a_form_that_was_never_sent_is_filled_by_the_usual_names_of_fields() -> None:
    known = taught([(MailSite(SEEN), MailSite(SEEN).prompt("detail"))])
    for seed in SEEDS:
        site = MailSite(seed)
        at_once(site, site.prompt("compose"), known)
        assert [(kind, data["to"], data["title"]) for kind, data in site.events] == [("compose", "jo@x.org", "Hello")]


def test_the_page_behind_a_button_beside_an_items_name_is_learned() -> None:
    cards = "".join(f"<div><p>{name}</p><b>$4</b><button>More</button></div>" for name in ("Saw", "Vise", "Plane"))
    shop = read(f"<title>x</title><main><h1>Tools</h1><section>{cards}</section></main>", "http://a/")
    html = "<title>x</title><main><h1>Vise</h1><p>It holds.</p><button>Expand</button></main>"
    beside = {"type": "xpathSelector", "value": "(//p[normalize-space()='Vise']/ancestor::*[.//button][1]//button)[1]"}
    facts = learned_of(read(html, "http://a/tools-4"), html, shop, [beside], {})
    assert facts["effect", "/ > item/descendant::button[1]"] == {"to": "/*"}
    assert ("route", "/*") in learned_of(read(html, "http://a/tools-4"), html, shop, [{}], {})  # pressed at a point, or a way back


def test_an_entry_with_a_pressable_picture_is_the_block_around_its_buttons_too() -> None:
    cards = "".join(
        f"<div><div role=button class=cursor-pointer><i>${n}</i></div><p>{name}</p><button>More</button></div>"
        for n, name in enumerate(("Saw", "Vise", "Plane"))
    )
    html = f"<title>x</title><main><h1>Tools</h1><section>{cards}</section></main>"
    page = read(html, "http://a/")
    (made,) = lists(page).values()
    blocks = page.node(page.elements[0]).getroottree().xpath(made["card"])
    assert ["".join(block.itertext()) for block in blocks] == ["$0SawMore", "$1ViseMore", "$2PlaneMore"]
    assert [len(block.xpath(f".{made['link']}")) for block in blocks] == [1, 1, 1]


def test_a_page_is_not_kept_again_as_earlier_presses_left_it() -> None:
    before = read("<title>x</title><main><h1>Inbox</h1><button>Tags</button></main>", "http://a/")
    html = "<title>x</title><main><h1>Inbox</h1><div role=dialog><input aria-label=Tag><button>Add</button></div></main>"
    assert not learned_of(read(html, "http://a/"), html, before, [], {})
    for other in (None, read("<title>x</title><main>Loading…</main>", "http://a/"), read("<h1>Mail</h1>", "http://a/mail")):
        assert ("route", "/") in learned_of(read(html, "http://a/"), html, other, [], {})


class Desk:
    """A site with a contact form, whose labels have icons and which requires fields that a task may not name."""

    seed = 5

    def __init__(self) -> None:
        self.sent: Mapping[str, str] = {}

    def get(self, path: str, query: Mapping[str, str]) -> str:
        top = "<title>Desk</title><header><nav><a href='/?seed=5'>Home</a><a href='/contact?seed=5'>Contact</a></nav></header>"
        if path == "/":
            return f"{top}<main><h1>Desk</h1></main>"
        fields = [("Name", "<input name=n required>"), ("Email Address", "<input type=email name=e required>")]
        fields += [("Subject", "<input name=s>"), ("Your thoughts", "<textarea name=t required></textarea>")]
        inside = "".join(f"<div><label><svg><path/></svg>{label}</label>{field}</div>" for label, field in fields)
        return f"{top}<main><h1>Contact</h1><form method=post action=/contact>{inside}<button type=submit>Send</button></form></main>"

    def post(self, path: str, sent: Mapping[str, str]) -> str:
        self.sent = sent
        return "/"


def test_a_form_that_was_never_sent_gets_a_value_in_each_required_or_usual_field() -> None:
    known = taught([(Desk(), "Open the home page")])
    assert "/contact" not in known.pages
    desk = Desk()
    at_once(desk, "Fill in the contact form where subject equals 'Prices' and name equals 'Ann'", known)
    assert (desk.sent["n"], desk.sent["s"]) == ("Ann", "Prices") and desk.sent["e"] and desk.sent["t"]
    at_once(desk, "Fill in the contact form where message equals 'Hello there' and email equals 'jo@x.org'", known)
    assert (desk.sent["t"], desk.sent["e"]) == ("Hello there", "jo@x.org") and desk.sent["n"] and desk.sent["s"]


def test_a_solution_from_an_llms_runs_is_done_at_once_if_all_its_pages_are_known() -> None:
    trials, seeds = [SHED["loan"], FERRY["crew"]], (1, 2, 3)
    for trial in trials:
        pages = taught((trial.site(seed), trial.prompt(seed), by_llm(trial, seed)) for seed in seeds)
        known = replace(pages, solutions=tuple(solutions_of([trial], seeds)))
        for facts, is_done in ((pages, False), (known, True), (replace(known, pages={}), False)):
            site = trial.site(101)
            at_once(site, trial.prompt(101), facts)
            assert trial.is_done(site, 101) is is_done


def test_routes_contain_neither_seed_nor_item() -> None:
    urls = ("http://a/films/17?seed=3", "http://a/films/glass-harbour-1994/", "http://a/about?seed=1", "http://a")
    assert list(map(route_of, urls)) == ["/films/*", "/films/*", "/about", "/"]


def test_a_page_is_kept_without_typed_texts_scripts_and_most_items() -> None:
    cards = "".join(f"<li><h3>Film {n}</h3><p>{n}</p><a href='/films/{n}?seed=1'>Open</a></li>" for n in range(50))
    html = f"<script>steal()</script><main><ul>{cards}</ul><form><input name=q value='my secret'><button onclick='x()'>Go</button></form></main>"
    kept = reduced(html)
    assert "steal" not in kept and "my secret" not in kept and "onclick" not in kept and "seed" not in kept
    assert kept.count("<li>") == 3 and 'name="q"' in kept
    assert reduced("<p>" + "".join(f"<b id=a{n} title={'x' * 100}>{n}</b><i>{n}</i>" for n in range(MOST_HTML // 100))) == ""


def test_a_long_page_is_kept_with_fewer_of_its_items_although_each_is_built_differently() -> None:
    inner = ("<b>{n}</b><i>a</i>", "<i>a</i><b>{n}</b>", "<i>a</i><b>{n}</b><b>c</b>")
    cards = "".join(
        f"<li title='{'x' * 100}'><a href='/films/{n}'>Open</a>{inner[n % 3].format(n=n) * (n // 3 + 1)}</li>" for n in range(150)
    )
    kept = reduced(f"<h1>Films</h1><ul>{cards}</ul><form><input name=q><button>Go</button></form>")
    assert kept.count("<li") > 1 and 'name="q"' in kept and len(kept) <= MOST_HTML


def test_two_forms_of_a_route_are_kept_apart_and_names_that_fields_share_are_left_out() -> None:
    person = form("<input aria-label='First name' id=box><input aria-label='Web site' id=box>")
    film = form("<input aria-label='Title' id=box><input aria-label='Director' id=box><input aria-label='Year' id=box>")
    facts = dict[Fact, dict[str, Any]]()
    for html in (person, film):
        facts |= learned_of(read(html, "http://a/profile"), html, None, [], facts)
    known = facts_of(facts).forms
    names = [[field.names for field in fields if field.kind == "text"] for fields in known.values()]
    assert names == [[("first name",), ("web site",)], [("title",), ("director",), ("year",)]]


def form(fields: str) -> str:
    return f"<title>x</title><main><h1>Profile</h1><form>{fields}<textarea aria-label=About></textarea><button type=submit>Save</button></form></main>"


@pytest.mark.parametrize(
    "html", ["", "<", "<a href='http://evil.example/x/1'>x</a>", "<form><input type=password><button>Log in</button></form>"]
)
def test_a_map_of_anything_leads_nowhere_but_to_the_tasks_own_host(html: str) -> None:
    facts = SiteFacts(pages={"/": {"html": html}, "/login": {"to": "/login"}, "/x/*": {"html": html}})
    for name in JOBS:
        step = Step("/solve_task", Form.ONE_SHOT, "t", JOBS[name].prompt, "http://site:8000/?seed=7")
        urls = [
            str(action.fields.get("url", "")) for action in plan(step, None, by_facts({}, facts)).actions if action.type == "NavigateAction"
        ]
        assert all(url.startswith(("http://site:8000/", "/")) for url in urls)


def test_a_page_is_kept_with_what_shows_or_covers_its_parts() -> None:
    times = "".join(f"<button class='px-4'>1{n}:00 PM</button>" for n in range(3))
    html = "<main><h1>Table</h1><nav class='hidden md:flex'><a href='/help'>Help</a></nav><p style='display: none'><a href='/old'>Old</a></p></main>"
    html += f"<div role=dialog class='border bg-popover shadow'>{times}</div>"
    pages = [read(shown, "http://a/") for shown in (html, reduced(html))]
    shown = [[(element.label, element.usable, element.layer, element.overlay) for element in page.elements] for page in pages]
    assert shown[0] == shown[1] and len(shown[0]) > 3
