"""What of a page an LLM is shown."""

import re

from agents.contract.protocol import Form, Step
from agents.page import read
from agents.prompting.page_prompt import Shown, show
from agents.tests.long_pages import films

START = "http://localhost:8000/films?seed=58"
FILM = "Show the film where the genre equals 'Sci-Fi' and the year is greater than 2010"


def seen(html: str, prompt: str = FILM, budget: int = 2_000) -> Shown:
    return show(Step("/step", Form.STEP, "t", prompt, START, html), read(html, START), budget)


def test_items_stand_with_their_attributes_before_the_numbers_of_what_can_be_pressed_in_them() -> None:
    line = next(line for line in seen(films(6)).text.splitlines() if line.startswith("- Film number 1 "))
    assert "year 1951" in line
    assert re.search(r'→ \d+ link "View details", \d+ button "Add to watchlist"$', line)


def test_the_numbers_are_those_of_the_elements() -> None:
    shown = seen(films(6))
    for number, element in shown.elements.items():
        assert shown.described(number) in shown.text or f'{number} {element.role} "{element.label}"' in shown.text
    assert sorted(shown.elements) == list(range(1, len(shown.elements) + 1))


def test_fields_tell_type_value_and_options() -> None:
    page = """<label>Genre<select><option>Drama<option selected>Comedy</select></label><input type=password placeholder=Secret value=x>"""
    text = seen(page).text
    assert '1 listbox "Genre" = "Comedy" options: Drama | Comedy' in text
    assert '2 textbox "Secret" (password) = "x"' in text


def test_what_meets_the_criteria_is_shown_first_where_not_all_fits() -> None:
    shown = seen(films(300), budget=900)
    items = [line for line in shown.text.splitlines() if line.startswith("- ")]
    assert items
    assert all("Sci-Fi" in line for line in items)
    assert re.search(r"\(\d+ more not shown\)", shown.text)


def test_links_that_lead_off_the_site_are_not_shown() -> None:
    page = "<a href='/in'>In</a>" + "".join(
        f'<a href="{href}">Out</a>'
        for href in ("https://evil.example/", "//evil.example", "ht\ntps://evil.example", " https://evil.example", "mailto:a@b.c")
    )
    shown = seen(page)
    assert [element.href for element in shown.elements.values()] == ["/in"]
    assert "Our friends" not in seen(films(2)).text


def test_what_the_page_says_went_wrong_is_told() -> None:
    assert "The page says: Password is required" in seen("<p class='text-red-500'>Password is required</p><input type=password>").text


def test_without_a_page_nothing_is_shown() -> None:
    assert show(Step("/step", Form.STEP, "t", FILM, START), None, 2_000) == Shown()
    assert seen("<p>Loading</p>") == Shown()
