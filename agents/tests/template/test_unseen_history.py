"""A caller whose history has neither selectors nor addresses: past actions are derived from typed texts, the page, and their number."""

from agents.tests import form_sites
from agents.tests.form_sites import SEEDS
from agents.tests.paper_browser import Outcome, step_by_step
from agents.tests.rows import rows

CONTACT = "Fill the contact form with name equals 'Ann', email equals 'a@b.example', subject equals 'Hours' and message equals 'When are you open?'"
VALUES = {"name": "Ann", "email": "a@b.example", "subject": "Hours", "message": "When are you open?"}
FILMS = (("Her", "Spike Jonze"), ("Arrival", "Denis Villeneuve"), ("Alien", "Ridley Scott"), ("Heat", "Michael Mann"))


def done(prompt: str, pages: dict[str, str]) -> Outcome:
    return step_by_step(prompt, pages, first_only=True, nameless=True)


@rows("seed", SEEDS)
def test_each_field_is_filled_before_the_form_is_sent(seed: int) -> None:
    outcome = done(CONTACT, form_sites.contact(seed))
    assert [values for path, values in outcome.browser.sent if path == "/messages"] == [VALUES]
    assert outcome.done


@rows("seed", SEEDS)
def test_a_value_that_the_page_does_not_show_is_set_once(seed: int) -> None:
    outcome = done("Add a film where title equals 'Dawn', genre is 'Horror' and year greater than '1990'", form_sites.films(seed))
    ((_, values),) = outcome.browser.sent
    assert (values["title"], values["genre"]) == ("Dawn", "Horror")


@rows("seed", SEEDS)
def test_a_form_that_stays_is_not_sent_until_the_last_step(seed: int) -> None:
    staying = {path: html.replace("<form action='/messages'", "<form data-stays='1' action='/messages'") for path, html in pages_of(seed)}
    outcome = done(CONTACT, staying)
    assert 1 <= len(outcome.browser.sent) <= 2
    assert outcome.done


def pages_of(seed: int) -> list[tuple[str, str]]:
    return list(form_sites.contact(seed).items())


def test_an_item_that_was_left_is_not_opened_again() -> None:
    outcome = done("Add to the watchlist a film where director equals 'Ridley Scott'", films())
    assert outcome.browser.visited == ["/", "/films/0", "/", "/films/1", "/", "/films/2", "/added/2"]
    assert outcome.done


def films() -> dict[str, str]:
    """Only an item's own page shows its maker."""
    nav = "<header><nav><a href='/?seed=5'>Home</a></nav></header>"
    cards = "".join(
        f"<li><h3>{name}</h3><p>{2000 + at}</p><a href='/films/{at}?seed=5'>View details</a></li>" for at, (name, _) in enumerate(FILMS)
    )
    pages = {"/": f"<html><body>{nav}<h1>Films</h1><ul>{cards}</ul></body></html>"}
    for at, (name, director) in enumerate(FILMS):
        facts = f"<dl><dt>Director</dt><dd>{director}</dd><dt>Year</dt><dd>{2000 + at}</dd><dt>Duration</dt><dd>120 min</dd></dl>"
        button = f"<button data-goto='/added/{at}'>Add to watchlist</button>"
        inside = f"<div><img src='a.png' alt=''><div><h1>{name}</h1>{facts}{button}</div></div>"
        pages[f"/films/{at}"] = f"<html><body>{nav}<main>{inside}</main></body></html>"
        pages[f"/added/{at}"] = f"<html><body>{nav}<h1>Added</h1></body></html>"
    return pages
