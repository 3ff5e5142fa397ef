"""Whether an item meets criteria, by the texts that a page shows of it."""

import pytest

from agents.page import Record
from agents.template.items.matching import Verdict, best, judge
from agents.template.prompt.criteria import Criterion, Operator
from agents.tests.rows import rows

FILM = Record(
    "Copper Moon",
    {"year": "1994", "rating": "8.1", "genre": "Drama, Crime", "price": "$12.99", "duration": "142 min"},
    "Copper Moon Drama, Crime 1994 8.1 142 min $12.99 Ida Brandt",
)


def verdict(field: str, operator: Operator, *values: str, whole: bool = False) -> Verdict:
    return judge([Criterion(field, operator, values)], FILM, whole=whole)


@rows(
    ("field", "operator", "values"),
    [
        ("movie name", Operator.EQUALS, ("copper moon",)),
        ("title", Operator.CONTAINS, ("per Mo",)),
        ("release year", Operator.LESS, ("2000",)),
        ("year", Operator.NOT_EQUALS, ("2000",)),
        ("rating", Operator.GREATER_EQUAL, ("8",)),
        ("genres", Operator.EQUALS, ("Crime",)),
        ("genre", Operator.NOT_ONE_OF, ("Horror", "War")),
        ("price", Operator.EQUALS, ("12.99",)),
        ("duration", Operator.ONE_OF, ("90", "142")),
        ("director", Operator.EQUALS, ("Ida Brandt",)),
        ("director", Operator.NOT_CONTAINS, ("Nora",)),
    ],
)
def test_a_criterion_is_met_by_attribute_or_text(field: str, operator: Operator, values: tuple[str, ...]) -> None:
    assert verdict(field, operator, *values).certain


@pytest.mark.parametrize(
    ("field", "operator", "values"),
    [
        ("name", Operator.EQUALS, ("Copper",)),
        ("year", Operator.GREATER, ("1994",)),
        ("genre", Operator.NOT_EQUALS, ("Crime",)),
        ("rating", Operator.EQUALS, ("8",)),
        ("director", Operator.NOT_EQUALS, ("Ida Brandt",)),
    ],
)
def test_a_criterion_is_failed_by_a_shown_value(field: str, operator: Operator, values: tuple[str, ...]) -> None:
    assert not verdict(field, operator, *values).fits


def test_a_value_that_is_not_shown_is_open_on_a_card_and_failed_on_a_whole_page() -> None:
    assert verdict("writer", Operator.EQUALS, "Jo Lee") == Verdict(0, 0, 1)
    assert not verdict("writer", Operator.EQUALS, "Jo Lee", whole=True).fits
    assert verdict("stock", Operator.EQUALS, "7", whole=True) == Verdict(0, 0, 1)


def test_a_price_is_compared_with_its_unit_too() -> None:
    expert = Record("Ann Moe", {"price": "$60.00"}, "Ann Moe Engineer $60.00/hr")
    for operator, value in ((Operator.CONTAINS, "00/hr"), (Operator.EQUALS, "$60.00/hr"), (Operator.CONTAINS, "60")):
        assert judge([Criterion("rate", operator, (value,))], expert).certain
    assert not judge([Criterion("rate", Operator.CONTAINS, ("50.00/hr",))], expert).fits


def test_a_short_text_that_is_anywhere_is_a_hint_and_no_proof() -> None:
    assert verdict("director", Operator.CONTAINS, "ra") == Verdict(0, 0, 1, 1)


def test_a_rating_is_recognised_by_its_format_without_markup() -> None:
    lamp = Record("Lamp", {"price": "$20"}, "Lamp 4.7 (268) USB 3.0 $20")
    assert not judge([Criterion("rating", Operator.EQUALS, ("4.6",))], lamp).fits
    assert judge([Criterion("rating", Operator.LESS, ("4.9",))], lamp).certain


def test_a_country_is_recognised_by_its_name_without_markup() -> None:
    smith = Record("Ann Lee", {}, "Ann Lee Poland Lamp smith $40/hr 4.7")
    assert judge([Criterion("country", Operator.CONTAINS, ("la",))], smith).certain
    assert not judge([Criterion("country", Operator.CONTAINS, ("g",))], smith).fits
    assert not judge([Criterion("country", Operator.EQUALS, ("Italy",))], smith).fits


def test_the_likeliest_item_comes_first_and_failing_ones_are_left_out() -> None:
    records = [
        Record("A", {"year": "1990"}, "A 1990", place=0),
        Record("B", {}, "B", place=1),
        Record("C", {"year": "2001"}, "C 2001", place=2),
    ]
    found = best([Criterion("year", Operator.GREATER, ("2000",))], records)
    assert [record.name for record, _ in found] == ["C", "B"]


def test_an_item_with_a_long_stated_text_is_certain_though_a_short_one_is_only_in_its_text() -> None:
    post = Record("Owen Cox", {}, "Owen Cox Celebrating ten years of lamps and oil today", ())
    long, short = (
        Criterion(field, Operator.CONTAINS, (value,)) for field, value in (("content", "ten years of lamps and oil"), ("author", "we"))
    )
    assert judge((long, short), post).certain
    assert not judge((short,), post).certain
