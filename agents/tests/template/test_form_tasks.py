"""Tasks that are done by forms, run in steps to their end on sites of paper."""

from collections.abc import Callable

import pytest

from agents.contract.protocol import Form, PastAction, Step
from agents.page import read
from agents.template import plan
from agents.template.forms.forms import FormQuery, forms
from agents.template.prompt.criteria import criteria
from agents.template.prompt.intents import understand
from agents.template.prompt.masking import mask
from agents.template.prompt.synonyms import names_of
from agents.template.prompt.values import meets
from agents.tests import form_sites
from agents.tests.form_sites import SEEDS
from agents.tests.paper_browser import Outcome, step_by_step
from agents.tests.rows import rows

NEW_JOB = "<h1>Jobs</h1><button type=button data-goto='/skills'>Post a job</button>"


def dialog(title: str, body: str, foot: str) -> str:
    return f"{NEW_JOB}<div role=dialog aria-modal=true><h2>{title}</h2><form>{body}</form>{foot}</div>"


def jobs(last: str) -> dict[str, str]:
    skill = "<input aria-label='Skill' value=''><button type=button data-goto='/added'>Add it</button>"
    title, confirm = "<label>Title<input value='{0}'></label>", f"<button type=button data-goto='{last}'>Confirm</button>"
    onward = "<button type=button data-goto='/{0}'>Next: {0}</button>"
    bodies = {
        "/": NEW_JOB,
        "/skills": dialog("Skills", skill, onward.format("title")),
        "/title": dialog("Title", title.format(""), confirm),
        "/still": dialog("Title", title.format("Baker"), confirm),
        "/posted": "<h1>Jobs</h1><p>Posted.</p>",
    }
    return {path: f"<html><body>{body}</body></html>" for path, body in bodies.items()}


def test_nothing_is_added_in_a_step_of_a_dialog_that_the_task_does_not_name() -> None:
    visited = step_by_step("Submit a job where title equals 'Baker' and pay equals '9'", jobs("/posted"), first_only=True).browser.visited
    assert visited[:4] == ["/", "/skills", "/title", "/posted"]


def test_a_dialog_is_confirmed_once_even_if_nothing_changes() -> None:
    outcome = step_by_step("Submit a job where title equals 'Baker' and pay equals '9'", jobs("/still"), first_only=True)
    assert sum("Confirm" in str(entry.fields) for entry in outcome.history) == 1


CALLERS = [pytest.param(True, id="runs-the-first-call"), pytest.param(False, id="runs-all-calls")]


def sent(outcome: Outcome, path: str) -> dict[str, str]:
    forms = [values for action, values in outcome.browser.sent if action == path]
    assert len(forms) == 1, (outcome.browser.sent, outcome.browser.visited, [plan.reasoning for plan in outcome.plans])
    assert not outcome.browser.failures
    return forms[0]


@pytest.mark.long
@rows("first_only", CALLERS)
@rows("seed", SEEDS)
@rows(
    ("site", "path", "prompt", "fields"),
    [
        (
            form_sites.contact,
            "/messages",
            "Fill out the contact form where name contains 'Pete', message does not contain 'spam' and subject equals 'Support'",
            {"name": "name", "message": "message", "subject": "subject"},
        ),
        (
            form_sites.contact,
            "/messages",
            "Submit the contact form where email is not 'a@b.co' and the content equals 'Hello there'",
            {"email": "email", "content": "message"},
        ),
        (
            form_sites.films,
            "/films",
            "Add a film where title equals 'Dawn', director not equals 'Jo', year greater than '1990', genre is 'Horror' and language not equals 'English'",
            {"title": "title", "director": "director", "year": "year", "genre": "genre", "language": "language"},
        ),
        (
            form_sites.films,
            "/films",
            "Insert a new film where rating less equal '3.5' and release_year equals '1975'",
            {"rating": "rating", "release year": "year"},
        ),
        (
            form_sites.profile,
            "/me",
            "Edit your profile so that location includes 'Fran' and the website is not 'https://ann.example'",
            {"location": "location", "website": "website"},
        ),
        (
            form_sites.reviews,
            "/reviews",
            "Write a comment on a film where content contains 'great' and commenter_name not equals 'David'",
            {"content": "text", "commenter name": "who"},
        ),
        (
            form_sites.reviews,
            "/reviews",
            "Write a review for a film where review_rating equals '4' and review_body not equals 'Bad'",
            {"review rating": "rating", "review body": "text"},
        ),
        (
            form_sites.bookings,
            "/bookings",
            "Book a table where people equals '4' and date equals '2027-03-05' and time equals '7:30 PM'",
            {},
        ),
        (
            form_sites.mail,
            "/mails",
            "Send an email where to equals 'jo@mail.example' and subject contains 'plan' and body not contains 'late'",
            {"to": "to", "subject": "subject", "body": "body"},
        ),
    ],
)
def test_a_form_is_filled_so_that_it_meets_all_criteria(
    site: Callable[[int], dict[str, str]], path: str, prompt: str, fields: dict[str, str], seed: int, first_only: bool
) -> None:
    outcome = step_by_step(prompt, site(seed), first_only=first_only)
    values = sent(outcome, path)
    for criterion in criteria(mask(prompt)):
        if criterion.field in fields:
            assert values[fields[criterion.field]], (criterion, values)
            assert meets(criterion, values[fields[criterion.field]].removesuffix(" stars")), (criterion, values)
    assert outcome.done


@pytest.mark.parametrize("seed", SEEDS)
def test_a_new_item_is_made_in_the_section_of_its_kind(seed: int) -> None:
    prompt = "Create a matter where name equals 'Divorce', client contains 'Lee' and status equals 'Active'"
    values = sent(step_by_step(prompt, form_sites.matters(seed), first_only=False), "/cases")
    assert (values["name"], values["client"]) == ("Divorce", "Lee")
    assert values["status"] in {"Live", "Running", "In force"}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_item_is_changed_by_its_own_button(seed: int) -> None:
    outcome = step_by_step("Update the matter where name equals 'Lease'", form_sites.matters(seed), first_only=False)
    assert sent(outcome, "/edited") == {"name": "Lease", "client": "Ann"}


@rows("first_only", CALLERS)
@rows("seed", SEEDS)
def test_a_disabled_form_gets_a_log_in_first(seed: int, first_only: bool) -> None:
    outcome = step_by_step("Add a comment to a film where content equals 'Fine'", form_sites.members_only(seed), first_only=first_only)
    assert sent(outcome, "/session") == {"username": "<username>", "password": "<password>"}
    assert sent(outcome, "/reviews")["text"] == "Fine"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_task_is_completed_by_its_own_button(seed: int) -> None:
    outcome = step_by_step("Complete the task whose name equals 'Call Ann'", form_sites.tasks(seed), first_only=True)
    assert outcome.browser.visited[-1] == "/done/1"


RATING = "<select data-field='rating'><option>Rating</option><option>4</option><option>5</option></select>"
REVIEW = (
    "<section><h3>What guests say</h3><form action='/reviews' data-goto='/done'>{rating}<textarea data-field='text' placeholder='{asks}'>"
    "</textarea><button type='submit'>{button}</button></form></section>"
)
TO_HOST = (
    "<h3>Your host is Ana</h3><form action='/messages' data-goto='/done'><textarea data-field='text' placeholder='Ask Ana a question'></textarea>"
    "<button type='submit'>Send</button></form>"
)
ORDINARY = (
    "<h3>Book with Dr. Reed</h3><form action='/bookings' data-goto='/done'><label>Patient name<input data-field='name' value=''></label>"
    "<label>Email<input type='email' data-field='email' value=''></label><button type='submit'>Book appointment</button></form>"
)
QUICK = (
    "<h2>We call you back</h2><form action='/requests' data-goto='/done'><label>Full name<input data-field='name' value=''></label>"
    "<label>Email<input type='email' data-field='email' value=''></label><label>Speciality<input data-field='field' value=''></label>"
    "<button type='submit'>Request appointment</button></form>"
)
QUICKLY = "Request a quick appointment where patient_name equals 'Jo Lind', email contains '@' and speciality equals 'Dermatology'"


def _stays(*parts: str) -> dict[str, str]:
    site = form_sites.Site(1)
    listed = "".join(
        f"<li><a href='/stays/{at}?seed=1'>{name}</a><p>Rating 4.{at}</p></li>" for at, name in enumerate(("Sea Cottage", "Oak Barn"))
    )
    pages = site.pages(start=f"<h1>Stays</h1><ul>{listed}</ul>")
    whole = site.page("<h1>Sea Cottage</h1><p>Rating 4.0</p>" + "".join(parts))
    return pages | {"/stays/0": whole, "/stays/0/host": site.page("<h1>Sea Cottage</h1><p>Rating 4.0</p>" + TO_HOST)}


def _doctors(*, has_quick: bool) -> dict[str, str]:
    site = form_sites.Site(1)
    listed = "".join(
        f"<li><a href='/doctors/{at}?seed=1'>Dr. {name}</a><p>Dermatology</p></li>" for at, name in enumerate(("Reed", "Moss"))
    )
    pages = site.pages(start=f"<h1>Clinic</h1>{QUICK if has_quick else ''}<ul>{listed}</ul>")
    return pages | {
        f"/doctors/{at}": site.page(f"<h1>Dr. {name}</h1><p>Dermatology</p>{ORDINARY}") for at, name in enumerate(("Reed", "Moss"))
    }


@rows(
    ("prompt", "pages", "expected"),
    [
        (
            "Message the host where name equals 'Sea Cottage' and message contains 'parking'",
            _stays(
                REVIEW.format(rating=rating, asks=asks, button=button),
                "<button type='button' data-goto='/stays/0/host'>Contact host</button>" if has_host else "",
            ),
            ["/messages"] if has_host else [],
        )
        for has_host in (True, False)
        for rating, asks, button in (
            (RATING, "Tell us about your stay", "Submit"),
            ("", "Share your experience", "Send"),
            ("", "...", "Post review"),
        )
    ]
    + [
        ("Write a review for the stay where name equals 'Sea Cottage' and comment contains 'quiet'", _stays(TO_HOST), []),
        (QUICKLY, _doctors(has_quick=True), ["/requests"]),
        (QUICKLY, _doctors(has_quick=False), []),
    ],
)
def test_a_form_for_another_purpose_is_not_sent(prompt: str, pages: dict[str, str], expected: list[str]) -> None:
    assert [path for path, _ in step_by_step(prompt, pages, first_only=False).browser.sent] == expected


def test_a_text_about_the_user_is_no_title() -> None:
    assert "title" not in dict(names_of("about"))


def test_a_form_is_saved_by_its_foot_and_not_by_the_button_for_one_more() -> None:
    row = "<label>Title<input value=''></label><label>Company<input value=''></label>"
    foot = "<button type=button data-goto='/start'>Cancel</button><button type=button data-goto='/saved'>Save changes</button>"
    more = "<button type=button data-goto='/row'>+ Add job</button>"
    pages = {"/": f"<h1>Ann</h1>{more}", "/row": f"<h1>Ann</h1><div>{row}<div>{foot}{more}</div></div>", "/saved": "<h1>Ann</h1>"}
    outcome = step_by_step("Add a job where title equals 'Baker' and company equals 'Rye'", pages, first_only=False)
    assert outcome.browser.visited[:3] == ["/", "/row", "/saved"]


def test_a_baker_is_hired_on_their_page_and_not_by_the_list_of_those_hired() -> None:
    nav = "<nav><a href='/hires?seed=58'>Hires</a></nav>"
    cards = "".join(f"<li><h3>{name}</h3><p>Baker</p><a href='/bakers/{name}?seed=58'>View</a></li>" for name in ("Ann", "Bo", "Cy"))
    pages = {
        "/": f"{nav}<h1>Bakers</h1><ul>{cards}</ul>",
        "/bakers/Bo": f"{nav}<h1>Bo</h1><p>Baker</p><button type=button data-goto='/terms'>Start now</button>",
        "/terms": "<h1>Terms</h1>",
    }
    visited = step_by_step("Hire a baker where name equals 'Bo'", pages, first_only=True).browser.visited
    assert visited[:3] == ["/", "/bakers/Bo", "/terms"]


def test_an_item_that_did_not_open_gives_no_way_to_another_one() -> None:
    url = "http://localhost:8000/?seed=58"
    cards = "".join(
        f"<li><h3>{name}</h3><p>Rating: 4.{at}</p><button type=button>Consult us</button></li>"
        for at, name in enumerate(("Ann", "Bo", "Cy"))
    )
    html = f"<html><body><h1>Bakers</h1><ul>{cards}</ul></body></html>"
    first = plan(Step("/step", Form.STEP, "t", "Hire the baker where name equals 'Bo' and jobs is less than 9", url, html, 0, ()), None)
    said = 'click button "Consult us" in item "Bo"'
    tried = PastAction(
        "ClickAction", dict(first.actions[0].fields), succeeded=True, error="", url=url, words=said, effect="nothing changed"
    )
    waited = PastAction("WaitAction", {"time_seconds": 1.5}, succeeded=True, error="", url=url)
    for history in ((tried,), (tried, waited)):
        made = plan(
            Step(
                "/step", Form.STEP, "t", "Hire the baker where name equals 'Bo' and jobs is less than 9", url, html, len(history), history
            ),
            None,
        )
        assert not any(name in str(action.fields) for action in made.actions for name in ("Ann", "Cy"))


def test_a_form_that_is_only_to_be_opened_is_that_of_the_row_with_the_stated_day_and_hour() -> None:
    rows_ = (
        ("Ann", "2027-05-01", "09:30 AM"),
        ("Ann", "2027-05-02", "09:30 AM"),
        ("Bo", "2027-05-02", "09:30 AM"),
        ("Ann", "2027-05-02", "10:15 AM"),
    )
    cells = "".join(
        f"<tr><td>{hour}</td><td>Dr. {name}</td><td>{day}</td><td><button type=button data-goto='/form{at}'>Book appointment</button></td></tr>"
        for at, (name, day, hour) in enumerate(rows_)
    )
    table = f"<h1>Appointments</h1><table><tr><th>Time</th><th>Doctor</th><th>Date</th><th>Action</th></tr>{cells}</table>"
    form = "<div role=dialog aria-modal=true><h2>Book</h2><form action='/sent'><input aria-label='Patient name'><button>Confirm</button></form></div>"
    pages = {"/": table} | {f"/form{at}": table + form for at in range(len(rows_))}
    prompt = "Open the appointment form where doctor_name equals 'Dr. Ann' and date equals '2027-05-02' and time equals '09:30 AM'"
    outcome = step_by_step(prompt, pages, first_only=True)
    assert outcome.browser.visited == ["/", "/form1"]
    assert not outcome.browser.sent


def test_an_item_is_booked_by_the_only_button_of_its_card() -> None:
    cards = "".join(
        f"<li><h3>{name}</h3><p>Baker</p><button type=button data-goto='/{name}'>Book expert</button></li>" for name in ("Ann", "Bo", "Cy")
    )
    pages = {"/": f"<h1>Bakers</h1><ul>{cards}</ul><button type=button data-goto='/more'>Next</button>", "/Bo": "<h1>Bo</h1>"}
    assert step_by_step("Hire a baker where name equals 'Bo'", pages, first_only=True).browser.visited[:2] == ["/", "/Bo"]


def test_a_form_with_fields_for_most_of_several_criteria_is_the_tasks_whatever_its_button_says() -> None:
    fields = "<label>Your payer<input></label><label>Your occasion<input></label>"
    page = read(f"<h1>Bo</h1><form>{fields}<button>Go on</button></form>", "http://localhost:8000/bakers/7/hire?seed=58")
    intent = understand("Hire the baker where payer equals 'Ann' and occasion equals 'Fair' and rate equals '9'")
    several, single = (FormQuery(intent.criteria[:most], intent.kind.row, frozenset()) for most in (3, 1))
    assert forms(page, several)[0].good
    assert not forms(page, single)[0].good
