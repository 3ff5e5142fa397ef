"""Items, sections and forms of unknown sites, on small paper pages."""

from dataclasses import replace

import pytest

from agents.contract.protocol import Form, PastAction, Step
from agents.page import read
from agents.page.records import Record
from agents.template import plan
from agents.template.forms.slots import option_for
from agents.template.items.matching import judge
from agents.template.moves import link_to
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import understand
from agents.template.prompt.targets import to_choose
from agents.template.prompt.task_kinds import Kind
from agents.template.prompt.verbs import is_unrequested
from agents.tests.template.test_exploring import URL, WAITED, done, next_plan, pressed, site


def labels(prompt: str, html: str, *history: PastAction) -> str:
    return str([dict(action.fields) for action in next_plan(prompt, html, *history).actions])


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("User adds a lamp to the cart", Kind.CART),
        ("Triggered when the user selects a colour for a lamp where colour equals 'red'", Kind.CHOOSE),
        ("Successfully booked an appointment where time equals '10:00'", Kind.BOOKING),
        ("Initiate a table booking where people equals '4'", Kind.BOOKING),
        ("Confirm hiring of a gardener where name equals 'Bo'", Kind.BOOKING),
        ("Remove the gardener who is in the hire later page where name equals 'Bo'", Kind.WISHLIST),
        ("View the imprint page where page equals 'imprint'", Kind.NAVIGATE),
        ("Apply filters for the colour where colour equals 'red'", Kind.FILTER),
        ("Open the FAQ about returns where question contains 'return'", Kind.UNFOLD),
        ("Open contact doctor form where doctor name equals 'Dr. Oz'", Kind.PERSON),
        ("Choose a payment method during checkout where method equals 'cash'", Kind.CHOOSE),
    ],
)
def test_a_prompt_in_any_tense_is_understood(prompt: str, kind: Kind) -> None:
    assert understand(prompt).kind is kind


def card(name: str, *buttons: str) -> str:
    pressed_ = "".join(f"<button type=button data-goto='/{name[:3].strip()}'>{button}</button>" for button in buttons)
    return f"<li><h3>{name}</h3><p>Baker</p><button type=button title='Keep'>♡</button>{pressed_}</li>"


def test_the_only_button_with_a_text_on_a_card_opens_it() -> None:
    cards = "".join(card(name, "Get advice") for name in ("Ann Lee", "Bo Ray", "Cy Fox"))
    pages = site(start=f"<h1>People</h1><ul>{cards}</ul>", Bo="<h1>Bo Ray</h1><p>Baker</p>")
    assert "/Bo" in done("View the profile of a baker where name equals 'Bo Ray'", pages).browser.visited


def test_of_two_buttons_with_texts_on_a_card_none_opens_it() -> None:
    cards = "".join(card(name, "Get advice", "Ask again") for name in ("Ann Lee", "Bo Ray", "Cy Fox"))
    pages = site(start=f"<h1>People</h1><ul>{cards}</ul>", Bo="<h1>Bo Ray</h1><p>Baker</p>")
    assert "/Bo" not in done("Trim the hair of a baker where name equals 'Bo Ray'", pages).browser.visited


def test_a_part_of_the_site_is_found_by_another_name_of_its_things() -> None:
    nav = "<nav><a href='/jobs?seed=58'>Openings</a><a href='/experts?seed=58'>Gurus</a></nav>"
    assert "/experts" in labels("Book a consultation where name equals 'Bo'", nav + "<h1>Work</h1>")


def test_a_part_of_the_site_is_found_by_all_words_of_its_name() -> None:
    nav = "<nav><a href='/records?seed=58'>Records</a><a href='/lab?seed=58'>Lab reports</a></nav>"
    assert "/lab" in labels("View lab reports where title equals 'Iron'", nav + "<h1>Clinic</h1>")


def test_the_longer_route_that_a_prompt_names_is_taken() -> None:
    nav = "<nav><a href='/hires?seed=58'>Team</a><a href='/hire-later?seed=58'>Kept</a></nav>"
    assert "/hire-later" in labels("Open the hire later section.", nav + "<h1>Work</h1>")


def test_a_link_with_another_label_is_found_by_its_route() -> None:
    page = read("<a href='/help?seed=58'>Assistance</a>", URL)
    assert link_to(page, ("faq", "help"), 0.9)[0].alternatives


def test_a_records_doctor_is_not_the_record() -> None:
    record = Record("Iron panel", {"date": "2024-01-02"}, "Iron panel 2024-01-02 Dr. Ann Lee")
    assert judge([Criterion("doctor name", Operator.EQUALS, ("Dr. Ann Lee",))], record).certain
    assert not judge([Criterion("doctor name", Operator.EQUALS, ("Dr. Bo Ray",))], record).fits


def test_an_amount_with_its_unit_is_found_in_an_items_text() -> None:
    record = Record("Ann Lee", {"price": "$60.00"}, "Ann Lee Sweden $60.00/hr")
    assert judge([Criterion("rate", Operator.EQUALS, ("$60.00/hr",))], record).certain
    assert not judge([Criterion("rate", Operator.EQUALS, ("$60.00/day",))], record).fits


def test_the_cell_with_an_items_name_and_more_is_its_name() -> None:
    record = Record("Iron", {"medicine": "Iron Ferro", "dose": "5 mg"}, "Iron Ferro 5 mg")
    assert judge([Criterion("medicine name", Operator.EQUALS, ("Iron",))], record).certain


def test_an_items_id_is_in_its_address() -> None:
    page = read(
        "<ul>" + "".join(f"<li><h3>Lamp {at}</h3><p>$5</p><a href='/lamps/lamp-{at}'>View</a></li>" for at in (7, 8, 9)) + "</ul>", URL
    )
    assert [judge([Criterion("lamp id", Operator.CONTAINS, ("p-8",))], record).certain for record in page.records] == [False, True, False]


def test_the_page_of_an_item_may_have_another_heading_than_its_name() -> None:
    html = "<h1>Entire flat in Rome</h1><p>Price: $90</p><p>Hosted by Ann Lee</p><p>4.5 ★</p><button type=button>Reserve</button>"
    opened = pressed("View", words='click button "View" in item "Blue House"', effect="URL /stays/7")
    url = "http://localhost:8000/stays/7?seed=58"
    history = (replace(opened, url=url),)
    made = plan(Step("/step", Form.STEP, "t", "Reserve a hotel where title equals 'Blue House'", url, html, 1, history), None)
    assert "Reserve" in str(made.actions[0].fields)


def test_a_search_is_sent_with_all_of_its_fields_filled() -> None:
    html = (
        "<h1>Doctors</h1><label>Search by name<input></label><label>Speciality<select><option>All specialities</option><option>Eyes</option>"
        "<option>Ears</option></select></label><button type=button>Search</button>"
    )
    said = labels("Search doctors where name equals 'Ann' and speciality not equals 'Eyes'", html)
    assert said.index("Ann") < said.index("Ears") < said.index("Search")


def test_an_option_for_all_is_no_choice() -> None:
    assert option_for(("All languages", "English"), [Criterion("language", Operator.NOT_EQUALS, ("Dutch",))]) == "English"


def test_a_form_that_is_only_to_be_opened_is_not_sent() -> None:
    form = "<form><label>Message<textarea></textarea></label><button data-goto='/sent'>Contact doctor</button></form>"
    html = f"<h1>Dr. Ann Lee</h1><p>Speciality: Eyes</p><p>Fee: $90</p>{form}"
    made = next_plan("Open contact doctor form where doctor name equals 'Dr. Ann Lee'", html, pressed("Contact doctor"))
    assert not [action for action in made.actions if action.type in ("TypeAction", "SubmitAction", "ClickAction")]


def test_the_next_button_of_a_dialog_is_at_its_foot() -> None:
    skills = "<button type=button>Next.js +</button><button type=button>Next month</button>"
    html = (
        f"<div role=dialog aria-modal=true><h2>Skills</h2><label>Skill<input></label>{skills}<button type=button>Next: scope</button></div>"
    )
    assert "Next: scope" in labels("Choose the project size where size equals 'Large'", html, WAITED)


def test_a_press_without_effect_is_not_repeated() -> None:
    html = "<div role=dialog aria-modal=true><h2>Skills</h2><label>Skill<input></label><button type=button>Next: scope</button></div>"
    once = pressed("Next: scope", words='click button "Next: scope"', effect="nothing changed")
    assert "Next: scope" not in labels("Choose the project size where size equals 'Large'", html, once)


@pytest.mark.parametrize(("prompt", "unasked"), [("Book a consultation where name equals 'Bo'", True), ("Submit a job", False)])
def test_nothing_is_submitted_unless_requested(prompt: str, unasked: bool) -> None:
    button = read("<button>Submit job post</button>", URL).elements[0]
    assert is_unrequested(button, understand(prompt)) is unasked


def test_an_unknown_verb_is_done_to_the_item_of_a_list_with_such_fields() -> None:
    rows = "".join(
        f"<tr><td>{name}</td><td>{dose} mg</td><td><button type=button data-goto='/{name}'>Browse item</button></td></tr>"
        for name, dose in (("Iron", 5), ("Zinc", 9), ("Gold", 2))
    )
    head = "<tr><th>Medicine</th><th>Dosage</th><th>Action</th></tr>"
    search = "<label>Medicine<input></label><button type=button data-goto='/sent'>Finish</button>"
    pages = site(
        start=f"<h1>Medicines</h1>{search}<table>{head}{rows}</table>",
        Zinc="<h1>Zinc</h1><p>Dosage: 9 mg</p><button type=button data-goto='/refilled'>Refill</button>",
        refilled="<h1>Refilled</h1>",
    )
    visited = done("Refill the medicine where dosage equals '9 mg'", pages).browser.visited
    assert "/refilled" in visited
    assert "/sent" not in visited


def test_a_menus_entry_is_pressed_even_if_it_resembles_a_list_item() -> None:
    menu = "<ul><li style='cursor:pointer'>Inbox 3</li><li style='cursor:pointer' data-goto='/begin'>Welcome 13</li></ul>"
    cards = "".join(f"<div><h3>Task {at}</h3><p>Soon</p><button type=button>Edit</button></div>" for at in range(3))
    html = f"{menu}<h1>Tasks</h1><section>{cards}</section>"
    assert "Welcome" in labels("Select a date for a task where date equals '2026-01-02'", html)


def test_of_the_headings_beside_an_excluded_one_the_nearest_is_clicked() -> None:
    heads = "".join(f"<div><h3>{name}</h3><p>Text</p></div>" for name in ("Mission", "Easy booking", "Verified reviews", "Contact"))
    said = labels(
        "Click the booking feature where feature not equals 'Trusted reviews'", f"<a href='/'>Home</a><h1>About</h1>{heads}", WAITED
    )
    assert "Verified" not in said
    assert "Easy booking" in said or "Contact" in said


def test_a_part_of_the_site_labelled_later_is_no_next_page() -> None:
    nav = "<nav><a href='/later?seed=58'>Later</a></nav>"
    cards = "".join(f"<li><h3>Lamp {at}</h3><p>$4{at}</p><a href='/lamps/{at}?seed=58'>View</a></li>" for at in range(4))
    html = f"{nav}<h1>Lamps</h1><ul>{cards}</ul><button type=button>Older</button>"
    assert "Older" in labels("View a lamp where price equals '90'", html)


def test_a_password_that_is_not_in_the_prompt_is_left_to_the_caller() -> None:
    html = "<form><label>Username<input></label><label>Password<input type=password></label><button>Sign in</button></form>"
    assert "<password>" in labels("Login where username equals Ann, then delete your review", html)


def test_a_question_is_recognised_by_its_wording_and_not_by_its_length() -> None:
    html = (
        "<h1>Help</h1><button type=button>Guides and tutorials for all who come</button>"
        "<button type=button>How do I pay?</button><button type=button>Can I cancel my booking?</button>"
    )
    assert "Can I cancel" in labels("Expand the FAQ where question not equals 'How do I pay?'", html)


def test_a_text_typed_in_a_dialog_is_added_before_the_next_step() -> None:
    html = (
        "<div role=dialog aria-modal=true><h2>Skills</h2><form><label>Search skills or add your own<input></label>"
        "<button type=button>Add it</button></form><button type=button>Next: scope</button></div>"
    )
    said = labels("Add a skill where skill not equals 'Baking'", html, pressed("New post"))
    assert said.index("text") < said.index("Add it")
    assert "Next" not in said


@pytest.mark.parametrize(
    ("prompt", "field"),
    [("Choose the project size where scope is not 'Small'", "scope"), ("Choose a date where time equals '10:00'", "date")],
)
def test_a_choice_may_be_labelled_with_another_name_of_its_field(prompt: str, field: str) -> None:
    assert [criterion.field for criterion in to_choose(understand(prompt))] == [field]


def test_a_table_with_a_single_row_has_one_item() -> None:
    cells = "<td>Dr. Lee</td><td>2024-03-19</td><td><button>Open</button></td>"
    html = f"<table><thead><tr><th>Doctor</th><th>Start</th><th>Action</th></tr></thead><tbody><tr>{cells}</tr></tbody></table>"
    (record,) = read(f"<body><h1>Prescriptions</h1>{html}</body>", "http://localhost:9000/prescriptions").records
    assert (record.name, record.attributes["start"]) == ("Dr. Lee", "2024-03-19")
