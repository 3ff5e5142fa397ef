"""Lists that are narrowed to the item of a task, in steps on a clinic's site of paper."""

from agents.template.prompt import target_of
from agents.template.prompt.intents import understand
from agents.tests.paper_browser import step_by_step
from agents.tests.template.test_list_tasks import done, site

SELECTS = (
    "<select aria-label='Area' id=doctor-area-filter><option>All areas</option><option>Hygiene</option><option>Diagnosis</option></select>"
    "<select aria-label='Tongue' id=doctor-tongue-filter><option>All tongues</option><option>Danish</option></select>"
    "<input aria-label='Name' id=doctor-name-search><input aria-label='Town' id=doctor-town-search><button type=button data-goto='/found'>Search</button>"
)
DOCTORS = "".join(
    f"<li><h3>Dr. {name}</h3><p>{area}</p><a href='/doctors/{name}?seed=58'>Profile</a></li>"
    for name, area in (("Ann", "Diagnosis"), ("Bo", "Diagnosis"), ("Cy", "Diagnosis"))
)
CLINIC = site(
    start=f"<h1>Doctors</h1>{SELECTS}<ul>{DOCTORS}</ul>",
    found=f"<h1>Doctors</h1>{SELECTS}<ul>{DOCTORS}</ul>",
    **{f"write_{name}": f"<h1>Dr. {name}</h1><p>Sent</p>" for name in ("Ann", "Bo", "Cy")},
    **{
        f"doctors_{name}": f"<h1>Dr. {name}</h1><p>Hygiene</p><h2>Affiliations</h2><button type=button data-goto='/write/{name}'>"
        "Message</button>"
        for name in ("Ann", "Bo", "Cy")
    },
)


def test_a_choice_is_applied_by_the_search_button_behind_it_and_is_not_typed_too() -> None:
    outcome = done("Show the doctors where area equals 'Hygiene'", CLINIC, first_only=False)
    assert "/found" in outcome.browser.visited
    assert "TypeAction" not in {entry.type for entry in outcome.history}


def test_an_excluded_value_is_not_searched_for_beside_a_stated_one() -> None:
    outcome = step_by_step("Show the doctors where doctor name equals 'Dr. Eve' and town not equals 'Dusk'", CLINIC, first_only=False)
    assert {entry.fields.get("text") for entry in outcome.history if entry.type == "TypeAction"} <= {"Dr. Eve"}


def test_a_word_in_the_markup_of_all_selects_identifies_none_of_them() -> None:
    outcome = step_by_step("Contact a doctor where doctor name contains 'ia'", CLINIC, first_only=True)
    assert "Diagnosis" not in {entry.fields.get("text") for entry in outcome.history}


def test_a_few_letters_of_a_name_identify_no_other_item() -> None:
    visited = step_by_step("Contact a doctor where doctor name contains 'ia'", CLINIC, first_only=True).browser.visited
    assert not {"/write/Ann", "/write/Bo", "/write/Cy"} & set(visited)


def test_how_an_items_list_is_shown_is_set_on_its_page() -> None:
    reviews = (
        "<h1>Dr. Bo</h1><p>Rating: 3.1</p><select aria-label='Filter by rating'><option>All ratings</option><option>4</option></select>"
    )
    pages = CLINIC | site(
        doctors_Bo="<h1>Dr. Bo</h1><p>Rating: 3.1</p><button type=button data-goto='/reviews/Bo'>Reviews</button>", reviews_Bo=reviews
    )
    outcome = done("Show the doctor reviews where doctor name equals 'Dr. Bo' and filter rating equals '4'", pages)
    assert "/reviews/Bo" in outcome.browser.visited
    assert "'text': '4'" in str(outcome.history[-2:])


def test_a_button_of_the_item_is_preferred_to_the_link_of_the_same_name() -> None:
    nav = "<nav><a href='/later?seed=58'>Hire later</a></nav>"
    cards = "".join(f"<li><h3>{name}</h3><p>Baker</p><a href='/bakers/{name}?seed=58'>View</a></li>" for name in ("Ann", "Bo", "Cy"))
    pages = site(
        start=f"{nav}<h1>Bakers</h1><ul>{cards}</ul>",
        bakers_Bo=f"{nav}<h1>Bo</h1><p>Baker</p><button type=button data-goto='/kept'>Hire later</button>",
        kept="<h1>Bo</h1>",
    )
    assert done("Decide to hire later the baker where name equals 'Bo'", pages).browser.visited[:3] == ["/", "/bakers/Bo", "/kept"]


def test_the_kind_of_thing_is_named_before_the_criteria() -> None:
    assert target_of(understand("Show the appointments where doctor name equals 'Dr. Ann'")).thing == "appointment"
    assert target_of(understand("Show the doctor reviews where doctor name equals 'Dr. Ann'")).thing == "doctor"


def test_a_switch_of_a_filter_is_set_by_a_criterion_of_its_name() -> None:
    box = "<label><input type=checkbox id=far>Remote</label>"
    outcome = done("Filter the jobs where remote is NOT 'False'", site(start=f"<h1>Jobs</h1>{box}"))
    assert "far" in str(outcome.history)
