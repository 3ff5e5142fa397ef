"""Criteria as read from prompts, and values made to meet them."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from agents.page import read
from agents.page.elements import FIELDS
from agents.template.forms.filling import fills_for
from agents.template.prompt.criteria import Criterion, Operator, criteria
from agents.template.prompt.masking import mask
from agents.template.prompt.values import chosen, example, meets
from agents.tests.rows import rows
from agents.tests.wordings import new_wording, old_wording, terse_wording

FIELD = st.sampled_from(["name", "release year", "due date", "price", "author", "first name", "marketcap", "rating", "to email"])
LISTS = frozenset({Operator.ONE_OF, Operator.NOT_ONE_OF})
# Texts that can be quoted: a quote that neither opens nor closes a word is part of the text.
SAYABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"], exclude_characters="'\"“”‘’"), min_size=1, max_size=30)
VALUE = SAYABLE.filter(lambda text: text == text.strip() and not any("\ue000" <= sign <= "\uf7ff" for sign in text)) | st.sampled_from(
    ["Today's specials", "a and b", "year greater than 3", "log out", "x, y", "<username>", "[1, 2]", "1,299.50", "July 18, 2025"]
)
NUMBERS = st.integers(-(10**6), 10**6).map(str) | st.decimals(-9999, 9999, places=2).map(lambda number: f"{number:f}")
DATES = st.dates(date(1990, 1, 1), date(2090, 1, 1)).map(date.isoformat)


def _criterion(operator: Operator, values: st.SearchStrategy[str]) -> st.SearchStrategy[Criterion]:
    most = 4 if operator in LISTS else 1
    return st.builds(Criterion, FIELD, st.just(operator), st.lists(values, min_size=1, max_size=most).map(tuple))


ANY = st.sampled_from(Operator).flatmap(lambda operator: _criterion(operator, VALUE | NUMBERS | DATES))
NAME = st.from_regex(r"[A-Z][a-z]{2,9}", fullmatch=True)


def test_the_bounds_of_a_field_are_two_fields() -> None:
    read_ = criteria(mask("Set the hourly rate where rate from equals 45 and the rate to is less equal 92"))
    assert [(criterion.field, criterion.value) for criterion in read_] == [("rate from", "45"), ("rate to", "92")]


def parsed(prompt: str) -> list[Criterion]:
    return [replace(criterion, end=0) for criterion in criteria(mask(prompt))]


@given(st.lists(ANY, min_size=1, max_size=5))
def test_criteria_in_the_new_wording_are_parsed(meant: list[Criterion]) -> None:
    assert parsed(f"Open the film where {new_wording(meant)}.") == meant


@given(st.lists(ANY, min_size=1, max_size=5))
def test_criteria_in_the_terse_wording_are_parsed(meant: list[Criterion]) -> None:
    assert parsed(f"Filter where {terse_wording(meant)}, please") == meant


@given(
    st.lists(
        st.builds(Criterion, st.sampled_from(["username", "password", "email"]), st.just(Operator.EQUALS), st.tuples(NAME)),
        min_size=1,
        max_size=3,
    )
)
def test_criteria_in_the_old_wording_are_parsed(meant: list[Criterion]) -> None:
    assert parsed(f"Log in with a specific {old_wording(meant)}") == meant


@given(
    st.sampled_from(
        [
            criterion
            for criterion in Operator
            if criterion not in {Operator.GREATER, Operator.LESS, Operator.GREATER_EQUAL, Operator.LESS_EQUAL}
        ]
    ),
    VALUE,
    st.data(),
)
def test_a_value_made_for_one_criterion_on_a_text_meets_it(operator: Operator, value: str, data: st.DataObject) -> None:
    criterion = data.draw(_criterion(operator, VALUE))
    assert meets(criterion, example(criterion)), example(criterion)


@given(st.sampled_from([Operator.GREATER, Operator.LESS, Operator.GREATER_EQUAL, Operator.LESS_EQUAL]), NUMBERS | DATES, FIELD)
def test_a_value_made_for_a_bound_meets_it(operator: Operator, bound: str, field: str) -> None:
    criterion = Criterion(field, operator, (bound,))
    assert meets(criterion, example(criterion)), example(criterion)


@st.composite
def true_of_a_text(draw: st.DrawFn) -> list[Criterion]:
    """Criteria that are met by one text, so that they don't contradict each other."""
    witness = draw(VALUE.filter(lambda text: len(text) > 1))
    start = draw(st.integers(0, len(witness) - 1))
    part = witness[start : draw(st.integers(start + 1, len(witness)))].strip() or witness
    others = [other for other in draw(st.lists(VALUE, max_size=3)) if other.lower() not in witness.lower()]
    found = [Criterion("name", Operator.CONTAINS, (part,))]
    found += [Criterion("name", draw(st.sampled_from([Operator.NOT_EQUALS, Operator.NOT_CONTAINS])), (other,)) for other in others]
    if draw(st.booleans()):
        found.append(Criterion("name", Operator.ONE_OF, (*others, witness)))
    return draw(st.permutations(found))


@given(true_of_a_text())
def test_a_made_value_meets_all_criteria_if_any_text_does(found: list[Criterion]) -> None:
    made = chosen(found)
    assert all(meets(criterion, made) for criterion in found), made


@given(st.integers(-1000, 1000), st.integers(1, 20), st.integers(1, 20), st.sets(st.integers(-1020, 1020), max_size=4))
def test_a_number_made_within_bounds_is_none_of_the_excluded(middle: int, below: int, above: int, excluded: set[int]) -> None:
    found = [Criterion("price", Operator.GREATER, (str(middle - below),)), Criterion("price", Operator.LESS, (str(middle + above),))]
    if excluded:
        found.append(Criterion("price", Operator.NOT_ONE_OF, tuple(map(str, excluded))))
    assert all(meets(criterion, chosen(found)) for criterion in found), chosen(found)


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(2, 30))
def test_a_day_between_two_days_is_made(first: date, length: int) -> None:
    last = date.fromordinal(first.toordinal() + length)
    found = [Criterion("day", Operator.GREATER, (first.isoformat(),)), Criterion("day", Operator.LESS, (last.isoformat(),))]
    assert first < date.fromisoformat(chosen(found)) < last


@given(ANY, st.lists(VALUE | NUMBERS, min_size=1, max_size=6), VALUE)
def test_an_option_that_meets_a_criterion_is_taken_where_there_is_one(criterion: Criterion, options: list[str], placeholder: str) -> None:
    made = chosen([criterion], options)
    if any(meets(criterion, option) for option in options if option.strip()):
        assert made in options
        assert meets(criterion, made)


@given(st.lists(ANY, min_size=1, max_size=3), st.integers(1, 12))
def test_a_made_value_fits_its_fields_length_if_a_short_value_is_possible(found: list[Criterion], longest: int) -> None:
    excluding = [criterion for criterion in found if criterion.operator.negative]
    if excluding:
        assert len(chosen(excluding, longest=longest)) <= longest


@rows(
    ("operator", "value", "made"),
    [
        (Operator.GREATER, "$1,299.50", "$1300.50"),
        (Operator.LESS, "July 1, 2025", "June 30, 2025"),
        (Operator.GREATER, "2025-12-31", "2026-01-01"),
        (Operator.GREATER, "7:59 PM", "8:00 PM"),
        (Operator.LESS, "19:30", "19:29"),
        (Operator.GREATER, "1234567", "1234568"),
        (Operator.NOT_EQUALS, "ann@example.com", "other@example.com"),
        (Operator.NOT_EQUALS, "Other", "Quick"),
    ],
)
def test_a_made_value_has_the_format_of_the_stated_one(operator: Operator, value: str, made: str) -> None:
    assert example(Criterion("x", operator, (value,))) == made


def test_a_field_gets_one_value_for_all_its_criteria_no_longer_than_it_takes() -> None:
    page = read(
        "<form><input name='title' placeholder='Title' maxlength='4'><input placeholder='Code' maxlength='x'></form>", "http://localhost/"
    )
    found = (
        Criterion("title", Operator.NOT_EQUALS, ("Other",)),
        Criterion("title", Operator.NOT_CONTAINS, ("aaa",)),
        Criterion("code", Operator.EQUALS, ("12345",)),
    )
    texts = [move.alternatives[0].fields["text"] for move in fills_for(page, found, page.usable(FIELDS))]
    assert texts == ["bbb", "12345"]


def test_both_ends_of_a_range_go_to_their_own_fields_where_a_page_has_them() -> None:
    found = criteria(mask("Filter where price is between 20 and 50"))
    two = read("<form><input placeholder='Min price'><input placeholder='Max price'></form>", "http://localhost/")
    one = read("<form><input placeholder='Price'></form>", "http://localhost/")
    assert [move.alternatives[0].fields["text"] for move in fills_for(two, found, two.usable(FIELDS))] == ["20", "50"]
    assert [move.alternatives[0].fields["text"] for move in fills_for(one, found, one.usable(FIELDS))] == ["20"]
