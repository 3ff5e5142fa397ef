"""Numbers that are set by buttons beside them: guests, pets, rooms."""

from agents.contract.protocol import Form, PastAction, Step
from agents.page import read
from agents.template import plan

SITE = "http://localhost:9321/?seed=4"
PICKERS = """
<button aria-haspopup=dialog id=where>Where <span>Find a stay</span></button>
<button aria-haspopup=dialog id=party>Travelers <span>Choose guests</span></button>
<button id=go>Search</button>"""
ROW = """<div class=row><div><span>{name}</span><span>{hint}</span></div><div>
<button aria-label="Fewer {name}" {off}>–</button><span>{count}</span><button aria-label="Increase {name}">+</button></div></div>"""


def counters(**counts: int) -> str:
    rows = "".join(ROW.format(name=name, hint="", off="" if count else "disabled", count=count) for name, count in counts.items())
    return f"{PICKERS}<div role=dialog aria-modal=false>{rows}</div>"


def pressed(prompt: str, html: str) -> list[str]:
    step = Step("/step", Form.STEP, "t", prompt, SITE, page=f"<body><h1>Stays</h1>{html}</body>")
    actions = plan(step, read(step.page, SITE)).actions
    return [action.fields["selector"]["value"] for action in actions if action.type == "ClickAction"]


def test_the_field_for_guests_is_opened_for_the_number_of_pets() -> None:
    assert pressed("Search for stays where pets is greater equal '2' and children less than '3'", PICKERS) == ["party"]


def test_a_counter_is_raised_to_the_nearest_number_that_meets_the_criteria() -> None:
    prompt = "Search for stays where pets is greater equal '2' and children less than '3'"
    assert pressed(prompt, counters(Adults=1, Children=0, Pets=0)) == ["Increase Pets"] * 2


def test_a_counter_is_lowered_where_it_is_above() -> None:
    assert pressed("Search for stays where children less than '2'", counters(Adults=1, Children=3, Pets=0)) == ["Fewer Children"] * 2


def test_counters_that_meet_the_criteria_are_left_as_they_are() -> None:
    shown = pressed("Search for stays where pets is greater equal '2'", counters(Adults=1, Children=0, Pets=2))
    assert shown and not any("Pets" in label or label == "party" for label in shown)


def test_counters_are_known_by_other_words_for_such_guests_and_set_together() -> None:
    prompt = "Search for stays where adults is not '1' and children greater than '1' and infants equals '1'"
    assert pressed(prompt, counters(**{"Grown-ups": 0, "Kids": 0, "Babies": 0})) == ["Increase Kids"] * 2 + ["Increase Babies"]


def test_after_the_counters_the_search_goes_on() -> None:
    opened = PastAction(
        "ClickAction", {"selector": {"type": "attributeValueSelector", "attribute": "id", "value": "party"}}, True, "", SITE
    )
    prompt = "Search for stays where pets is greater equal '2' and destination equals 'Oslo'"
    page = f"<body>{PICKERS}<div role=dialog aria-modal=false><input aria-label='Search cities'></div></body>"
    actions = plan(Step("/step", Form.STEP, "t", prompt, SITE, page, 1, (opened,)), read(page, SITE)).actions
    assert [action.fields["text"] for action in actions if action.type == "TypeAction"] == ["Oslo"]
