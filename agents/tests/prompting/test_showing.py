"""What an LLM is shown of a page."""

import re
from typing import Any

import pytest

from agents.contract.protocol import Form, Step
from agents.page import Element, Record, read
from agents.prompting import element_text
from agents.prompting.page_prompt import Shown, show
from agents.tests.long_pages import films

START = "http://localhost:8000/films?seed=58"
FILM = "Show the film where the genre equals 'Sci-Fi' and the year is greater than 2010"


def seen(html: str, prompt: str = FILM, budget: int = 2_000) -> Shown:
    return show(Step("/step", Form.STEP, "t", prompt, START, html), read(html, START), budget)


def test_items_are_shown_with_their_attributes_before_the_numbers_of_their_controls() -> None:
    line = next(line for line in seen(films(6)).text.splitlines() if "] Film number 1 " in line)
    assert "year 1951" in line
    assert re.search(r'→ \d+ link "View details", \d+ button "Add to watchlist"$', line)


def test_the_numbers_are_those_of_the_elements() -> None:
    shown = seen(films(6))
    for number, element in shown.elements.items():
        assert shown.described(number) in shown.text or f'{number} {element.role} "{element.label}"' in shown.text
    assert sorted(shown.elements) == list(range(1, len(shown.elements) + 1))


def test_fields_are_shown_with_type_value_and_options() -> None:
    page = """<label>Genre<select><option>Drama<option selected>Comedy</select></label><input type=password placeholder=Secret value=x>"""
    text = seen(page).text
    assert '1 listbox "Genre" = "Comedy" options: Drama | Comedy' in text
    assert '2 textbox "Secret" (password) = (filled in)' in text


def test_what_meets_the_criteria_is_shown_first_where_not_all_fits() -> None:
    shown = seen(films(300), budget=900)
    items = [line for line in shown.text.splitlines() if line.startswith("- ")]
    assert items
    assert all("Sci-Fi" in line for line in items)
    assert re.search(r"\(Left out, as they fit the task least: \d+ controls, \d+ items", shown.text)


def test_of_a_long_list_little_more_is_rendered_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = list[Element]()

    def counted(element: Element, *rest: Any) -> str:
        rendered.append(element)
        return text_of(element, *rest)

    text_of = element_text.text_of
    monkeypatch.setattr(element_text, "text_of", counted)
    page = "<p>" + "".join(f"<a href='/films/{number}?seed=58'>A film whose name has the number {number}</a> " for number in range(600))
    shown = seen(page, budget=900)
    assert len(shown.elements) <= len(rendered) <= 2 * len(shown.elements) < 200


def test_links_that_lead_off_the_site_are_not_shown() -> None:
    page = "<a href='/in'>In</a>" + "".join(
        f'<a href="{href}">Out</a>'
        for href in ("https://evil.example/", "//evil.example", "ht\ntps://evil.example", " https://evil.example", "mailto:a@b.c")
    )
    shown = seen(page)
    assert [element.href for element in shown.elements.values()] == ["/in"]
    assert "Our friends" not in seen(films(2)).text


def test_the_errors_of_the_page_are_shown() -> None:
    assert "The page says: Password is required" in seen("<p class='text-red-500'>Password is required</p><input type=password>").text


def test_without_a_page_nothing_is_shown() -> None:
    assert show(Step("/step", Form.STEP, "t", FILM, START), None, 2_000) == Shown()
    assert seen("<p>Loading</p>") == Shown()


DIALOG = """<h1>Films</h1><button>Behind</button><div role="dialog" aria-modal="true"><h2>Delete it?</h2><button>Yes</button></div>"""
STATES = """<h1>Account</h1><form><h2>Profile</h2><label><input type=checkbox checked>News</label><label><input type=checkbox>Offers</label>
<input aria-label=Name required aria-invalid=true><button aria-expanded=false aria-haspopup=menu>More</button><button role=tab aria-selected=true>All</button>
<button disabled>Save</button></form>"""


def test_an_open_dialog_is_named_and_elements_behind_it_are_left_out() -> None:
    text = seen(DIALOG).text
    assert 'DIALOG Delete it? (open, over the page)\n1 button "Yes"' in text
    assert "Behind" not in text


def test_controls_are_shown_with_state_and_section_and_disabled_ones_without_a_number() -> None:
    text = seen(STATES).text
    controls = (
        *('checkbox "News" (checked)', 'checkbox "Offers" (not checked)', 'textbox "Name" (required, invalid)'),
        *('button "More" (not expanded)', 'tab "All" (selected)', '- button "Save" (disabled)'),
    )
    for control in controls:
        assert control in text
    assert text.index("FORM Profile") < text.index("News")


def test_each_item_is_marked_with_the_criteria_that_it_meets_and_the_legend_lists_them() -> None:
    page = "<ul>" + "".join(
        f"<li><h3>Film {at}</h3><p>Year: {year}</p><a href='/{at}'>Open</a></li>" for at, year in enumerate((1990, 2015))
    )
    text = seen(page).text
    assert "- [1? 2✗] Film 0 | year 1990" in text
    assert "- [1? 2✓] Film 1 | year 2015" in text
    assert (
        """Criteria of "Show the film" (on items: ✓ met, ✗ not met, ? not shown here): 1 genre equals 'Sci-Fi'; 2 year greater than '2010'"""
        in text
    )


def test_of_many_options_those_that_meet_the_criteria_come_first_and_nothing_is_cut_without_a_mark() -> None:
    years = "".join(f"<option>{year}" for year in range(1950, 2021))
    text = seen(f"<label>Year<select>{years}</select></label>").text
    assert "options: 2011 | 2012 | 2013" in text
    assert "2020 | 2010 | 1950 | … 59 more" in text
    long = "The International Society for the History, Philosophy and Social Studies of Biology"
    assert "options: Short | The International Society" in (shown_text := seen(f"<select><option>Short<option>{long}</select>").text)
    assert "…" in shown_text


def test_repeated_controls_collapse_and_are_counted() -> None:
    page = "<h1>Talk</h1>" + "<p>Hello</p><button type=button>Reply</button>" * 9
    text = seen(page).text
    assert text.count('button "Reply"') == 2
    assert "7 controls" in text


def test_an_item_with_many_controls_has_further_lines_for_them_and_one_that_comes_twice_is_shown_once() -> None:
    fields = "".join(f"<input name=f{at} aria-label='Field {at}'>" for at in range(7))
    items = "".join(f"<li><h3>{name}</h3><p>Year: 2000</p><a href='/{name}'>Open</a></li>" for name in ("Her", "Alien", "Her"))
    text = seen(f"<ul>{items}<li><h3>Salt</h3><p>Year: 2010</p>{fields}<button>Save</button></li></ul>").text
    assert "- more of Salt → " in text
    assert 'button "Save"' in text
    assert text.count("Her | year 2000") == 1
    assert "All that can be operated is listed." in text


def test_nothing_is_shown_that_is_not_on_the_page() -> None:
    """A rating out of ten is no date, a box that is made of a button is no button, and a set's legend is not its form's name."""
    page = """<main><h1>Registration</h1><form><fieldset><legend>Sex</legend><label><input type="radio" name="sex">Female</label></fieldset>
    <p>Enter a name</p><input aria-invalid="true" aria-describedby="why" aria-label="Name"><p id="why">Name is required</p>
    <button role="checkbox" aria-checked="false" aria-label="Terms"></button><button>Send</button></form>
    <ul><li><h3>Heat</h3><p>170 min</p><span>8.3/10</span><a href="/1">More</a></li><li><h3>Alien</h3><p>117 min</p><span>8.5/10</span><a href="/2">More</a></li></ul>
    </main>"""
    text = seen(page).text
    assert "FORM Registration" in text
    assert 'checkbox "Terms" (not checked)' in text
    assert "(submit)" not in text
    assert "date" not in text
    assert text.count("Name is required") == 1


def test_a_fieldset_stands_with_its_form() -> None:
    text = seen("<form aria-label=Order><fieldset><legend>Address</legend><input name=street></fieldset><button>Buy</button></form>").text
    assert "SECTION Address (in FORM Order)" in text


def test_a_control_with_a_name_of_its_own_is_shown_with_the_value_in_it() -> None:
    page = "<label for=g>Guests</label><button id=g aria-haspopup=dialog>2 people</button><button aria-label='Next page'>Next page</button>"
    text = seen(page).text
    assert 'button "Guests" showing "2 people"' in text
    assert "Next page" in text
    assert text.count("Next page") == 1


def test_the_value_of_an_option_is_shown_where_the_prompt_has_a_word_of_it() -> None:
    select = "<label>State<select><option value='On Hold'>Queued<option value=x1>Closed</select></label>"
    assert "options: Queued (On Hold) | Closed" in seen(select, "Create a matter where state contains 'on hold'").text
    assert "options: Queued | Closed" in seen(select, "Create a matter").text
    assert (
        "("
        not in seen("<select><option value=year-desc>Newest<option value=x>Oldest</select>", "Share where desc contains 'x'").text.split(
            "options:"
        )[1]
    )


def test_an_item_is_shown_with_its_text_besides_its_attributes_and_each_of_its_links_once() -> None:
    items = "".join(
        f"<li><a href=/u/{at}><img alt='{name}'></a><a href=/u/{at}>{name}</a><p>Hiking the {place} ridge today.</p><p>Comments: {at}</p>"
        f"<button>Like</button></li>"
        for at, (name, place) in enumerate((("Ann Lee", "northern"), ("Bob Ray", "southern"), ("Eve Fox", "eastern")))
    )
    text = seen(f"<ul>{items}</ul>", "Like the post that contains 'southern'").text
    assert "Hiking the southern ridge today." in text
    assert text.count('link "Bob Ray"') == 1


def test_a_sentence_of_an_item_keeps_the_items_name_in_it() -> None:
    item = Record("Emma", {"year": "1815"}, "Emma 1815 A comedy about Emma Woodhouse, who meddles.")
    assert element_text.item_text(item) == "Emma | year 1815 | A comedy about Emma Woodhouse, who meddles."


def test_a_link_that_repeats_its_whole_item_is_named_by_the_item() -> None:
    items = "".join(
        f"<li><a href=/r/{name}>Greek <h3>{name}</h3> ({at}12) Old Town</a></li>" for at, name in enumerate(("Acro", "Biko", "Cato"))
    )
    text = seen(f"<ul>{items}</ul>", "Open the restaurant").text
    assert text.count("Old Town") <= 3, "a text of an item is not repeated in its link"


def test_texts_that_the_subject_of_a_page_only_holds_are_shown() -> None:
    page = """<main><h1>Heat</h1><p>Director: Michael Mann</p><p>Year: 1995</p><p>Genre: Crime</p><p>A crew of thieves and the detective who hunts them
    meet once in a diner, and neither can turn back from there on.</p><p>Please sign in to leave a review.</p><button>Play</button></main>"""
    text = seen(page).text
    assert "This page is about:" in text
    assert "\nPlease sign in to leave a review." in text


def test_a_short_text_is_shown_though_a_longer_one_contains_it() -> None:
    assert "\n3\n" in f"{seen('<p>Quantity</p><span>3</span><button>Add 30 more</button>').text}\n"


def test_a_row_of_buttons_is_no_item() -> None:
    weeks = "".join(
        f"<tr>{''.join(f'<td><button>{day}</button></td>' for day in range(first, first + 7))}</tr>" for first in (1, 8, 15, 22)
    )
    text = seen(
        f"<h1>Date</h1><table><tr>{''.join(f'<th>{day}' for day in ('Su', 'Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa'))}</tr>{weeks}</table>"
    ).text
    assert "su 1" not in text
    assert 'button "18"' in text


def test_an_item_with_a_button_over_all_its_text_is_no_row_of_buttons() -> None:
    page = read("<div role=button tabindex=0>Ann Lee: plans for Monday</div><button>Star</button><button>Archive</button>", START)
    item = Record("Ann Lee", {}, "Ann Lee: plans for Monday Star Archive", page.elements)
    assert not element_text.says_nothing(item, page.elements)


def test_disabled_buttons_side_by_side_take_one_line() -> None:
    days = "".join(f"<button disabled>{day}</button>" for day in range(1, 29))
    lines = seen(f"<h1>Date</h1>{days}<button>29</button>").text.splitlines()
    assert sum("disabled" in line for line in lines) == 1
    assert '1 button "29"' in lines


def test_many_items_do_not_crowd_out_the_navigation() -> None:
    links = "".join(f"<a href=/{name}>{name}</a>" for name in ("Home", "Basket", "Account"))
    text = seen(f"<header><nav>{links}</nav></header>{films(300)}", budget=1_900).text
    assert 'link "Basket"' in text
    assert text.count("Sci-Fi") > 12


def test_many_controls_whose_names_differ_by_numbers_do_not_crowd_out_the_others() -> None:
    hours = "".join(f"<div><button>Add event on November {day} at {hour}:00</button></div>" for day in range(1, 8) for hour in range(24))
    text = seen(f"<h1>Week</h1>{hours}<div><button>Month</button></div>", "Add an event", budget=700).text
    assert 'button "Month"' in text


def test_what_stands_in_an_open_dialog_says_so_and_texts_behind_it_are_left_out() -> None:
    page = """<h1>Jobs</h1><p>Total hires 12</p><button>Behind</button>
    <div role=dialog aria-modal=true><form><h2>Skills</h2><p>Pick three.</p><button>Next</button></form></div>"""
    text = seen(page).text
    assert "FORM Skills (in the open dialog)" in text
    assert "Pick three." in text
    assert "Total hires" not in text


def test_a_button_over_an_item_does_not_repeat_its_text() -> None:
    button = read("<button aria-label='Ann Lee'>Ann Lee: plans for Monday</button>", START).elements[0]
    assert "plans" in element_text.control_text(button)
    assert "plans" not in element_text.control_text(button, "Ann Lee")


def test_a_link_outside_of_items_is_shown_with_the_text_in_it() -> None:
    text = seen("<h1>Stays</h1><a href=/1 aria-label='Open Lake House'>Lake House, Oslo, $360 per night</a>").text
    assert 'link "Open Lake House" showing "Lake House, Oslo, $360 per night"' in text


def test_the_controls_of_a_small_page_are_shown_before_items_that_fit_badly() -> None:
    items = "".join(
        f"<li><h3>Film {at}</h3><p>Year: 19{at}</p><p>{'A long tale of many films. ' * 4}</p><a href=/{at}>Open</a></li>"
        for at in range(40, 60)
    )
    text = seen(f"<h1>Films</h1><button>Reset</button><button>Find</button><ul>{items}</ul><button>Next page</button>", budget=600).text
    assert all(f'button "{name}"' in text for name in ("Reset", "Find", "Next page"))


def test_a_disabled_button_stands_with_its_section() -> None:
    page = "<nav><a href=/>Home</a></nav><form aria-label=Order><button disabled>Pay</button></form><form aria-label=Other><input></form>"
    assert 'FORM Order\n- button "Pay" (disabled)' in seen(page).text


def test_a_dialog_is_no_item_and_its_controls_are_shown_as_its_own() -> None:
    items = "".join(f"<li><h3>Film {at}</h3><p>Year: 19{at}</p><button>Save</button></li>" for at in range(40, 44))
    dialog = """<div role=dialog aria-modal=true><h3>Share it</h3><div><p>Price: $3</p><input type=email aria-label=Receiver><button>Close</button>
    <button>Send</button></div></div>"""
    text = seen(f"<ul>{items}</ul>{dialog}").text
    assert "ITEMS" not in text
    assert 'DIALOG Share it (open, over the page)\n1 textbox "Receiver"' in text


def test_each_star_of_a_row_is_shown() -> None:
    stars = "<button><svg class='lucide lucide-star'></svg></button>" * 5
    text = seen(f"<h1>Review</h1><form><div>{stars}</div><textarea aria-label=Words></textarea></form>").text
    assert all(f"no. {at} of these" in text for at in range(1, 6))


def test_a_value_of_an_item_is_shown_once() -> None:
    rows_ = "".join(
        f"<tr><td>Dr. {name}</td><td>2024-03-1{at}</td><td>active</td><td><button>Open</button></td></tr>"
        for at, name in enumerate(("Ann Lee", "Bob Ray"))
    )
    heads = "<tr><th>Doctor</th><th>Start date</th><th>Status</th><th>Action</th></tr>"
    text = seen(f"<h1>Queue</h1><table>{heads}{rows_}</table>").text
    assert text.count("2024-03-10") == 1
    assert text.count("Dr. Ann Lee") == 1


def test_disabled_buttons_of_two_sections_stand_in_their_own() -> None:
    page = """<form aria-label=Order><button disabled>Pay</button><button disabled>Hold</button></form><footer><button disabled>Top</button></footer>
    <main><input aria-label=Name></main>"""
    text = seen(page).text
    assert 'FORM Order\n- disabled buttons: "Pay", "Hold"' in text
    assert 'FOOTER\n- button "Top" (disabled)' in text


def test_the_way_to_the_next_page_is_no_item_and_a_bar_of_fields_belongs_to_no_section_before_it() -> None:
    items = "".join(f"<li><h3>Stay {at}</h3><p>Price: ${at}00</p><a href=/{at}>Open</a></li>" for at in range(1, 5))
    bar = "".join(f"<div><button aria-haspopup=dialog>{name}</button></div>" for name in ("Where", "Check in", "Check out", "Guests"))
    turn = "<div><button disabled>Prev</button><span>Page 1 of 7</span><button>Next</button></div>"
    text = seen(f"<nav><a href=/>Home</a></nav><main><div>{bar}</div><ul>{items}</ul>{turn}</main>").text
    assert "- Prev" not in text
    assert "Page 1 of 7" in text.split("TEXT")[1]
    assert 'IN NO SECTION\n2 button "Where"' in text
