"""A prompt's values for fields, and conditions that select the card of an item that meets its criteria."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from agents.contract.selectors import check_xpath
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import understand
from agents.template.prompt.values import meets
from agents.template.sites.field_values import FieldValues, field_values
from agents.template.sites.site_facts import Item
from agents.template.sites.site_plans import conditions, query_for
from agents.tests.rows import rows

LAMP = Item(
    list="/lamps",
    card="//article",
    texts={"name|subject": ".//h3", "maker": "(.//p)[1]"},
    lists={"tags|tag": "(.//p)[2]"},
    numbers={"price": ".//b"},
    dates={"made|sold": "substring-before(substring-after(.//i,'made '),' ')"},
    times={"hour|sold": "substring-after(.//i,' at ')"},
    filters={"tag": "tags|tag"},
    search={"q": "name|subject|maker"},
    sort={"by": "order", "price": ["dear", "cheap"]},
)
LAMPS = [
    {"name": "Little Owl", "maker": "Berg", "tags": "desk, brass", "price": "19.50", "made": "2025-09-30", "hour": "9:05"},
    {"name": "Big Owl", "maker": "O'Hara", "tags": "floor, brass", "price": "1,200", "made": "2025-10-02", "hour": "14:00"},
    {"name": "Moon \"2\"", "maker": "Berg & Co", "tags": "desk", "price": "80", "made": "2026-01-01", "hour": "0:10"},
]  # fmt: skip


def shelf(lamps: list[dict[str, str]] = LAMPS) -> etree._Element:
    root = etree.Element("main")
    for lamp in lamps:
        card = etree.SubElement(root, "article")
        for tag, name in (("h3", "name"), ("p", "maker"), ("p", "tags"), ("b", "price")):
            etree.SubElement(card, tag).text = f"  {'$' if name == 'price' else ''}{lamp[name]} "
        etree.SubElement(card, "i").text = f"made {lamp['made']} at {lamp['hour']}"
    return root


def picked(values: FieldValues, lamps: list[dict[str, str]] = LAMPS) -> list[str]:
    expression = LAMP.card + "".join(conditions(LAMP, values))
    check_xpath(expression, "card")
    return [" ".join(card.findtext("h3").split()) for card in shelf(lamps).xpath(expression)]


def of(prompt: str) -> FieldValues:
    return field_values(prompt, understand(prompt))


@rows(
    ("prompt", "names"),
    [
        ("Open the lamp where the name contains 'owl'", ["Little Owl", "Big Owl"]),
        ("Open the lamp where the name does NOT contain 'owl'", ['Moon "2"']),
        ("Open the lamp where the maker equals 'o'hara'", ["Big Owl"]),
        ("Open the lamp where the price is less than 81 and the name is not 'Little Owl'", ['Moon "2"']),
        ("Open the lamp where the price is greater equal 1,200", ["Big Owl"]),
        ("Open the lamp where the tags is one of ['floor', 'wall']", ["Big Owl"]),
        ("Open the lamp where the tags is NOT one of ['floor', 'wall']", ["Little Owl", 'Moon "2"']),
        ("Open the lamp where the tags contains 'brass' and the price is 1000 or less", ["Little Owl"]),
        ("Open the lamp 'Big Owl'", ["Big Owl"]),
        ("Open the lamp where the weight is less than 3", ["Little Owl", "Big Owl", 'Moon "2"']),
        ("Open the lamp where the made is less than '2025-10-02 00:00:00'", ["Little Owl"]),
        ("Open the lamp where the made is greater equal '2025-10-02'", ["Big Owl", 'Moon "2"']),
        ("Open the lamp where the made equals '2025-09-30T19:00:00+00:00'", ["Little Owl"]),
        ("Open the lamp where the hour is greater than '9:04 AM'", ["Little Owl", "Big Owl"]),
        ("Open the lamp where the hour is less equal '00:10:00'", ['Moon "2"']),
        ("Open the lamp where the sold equals '2025-10-02 14:00:00'", ["Big Owl"]),
        ("Open the lamp where the made is NOT one of ['2025-10-02', '2025-09-30']", ['Moon "2"']),
        ("Open any lamp that is nice", ["Little Owl", "Big Owl", 'Moon "2"']),
    ],
)
def test_the_cards_that_meet_a_prompt_are_picked(prompt: str, names: list[str]) -> None:
    assert picked(of(prompt)) == names


def test_values_in_the_lists_query_are_no_conditions() -> None:
    values = of("Open the lamp where the tags equals 'desk' and the price is greater than 20")
    assert query_for(LAMP, values) == [("tag", "desk"), ("order", "dear")]
    assert picked(values) == ["Big Owl", 'Moon "2"']


def test_a_search_is_for_stated_values_and_never_for_excluded_ones() -> None:
    assert query_for(LAMP, of("Open the lamp where the name contains 'owl'")) == [("q", "owl")]
    assert query_for(LAMP, of("Open the lamp where the name does not contain 'owl' and the maker equals 'Berg'")) == [("q", "Berg")]
    assert query_for(LAMP, of("Open the lamp where the name is not 'owl' and the price is below 9")) == [("order", "cheap")]


def test_a_value_without_a_field_keeps_the_operator_before_it() -> None:
    values = of("Open a lamp with a price greater than 3 and does NOT contain 'cwz'")
    assert [(criterion.field, criterion.operator, criterion.value) for criterion in values.criteria[1:]] == [
        ("subject", Operator.NOT_CONTAINS, "cwz")
    ]


def test_a_field_may_be_named_with_the_thing_before_it() -> None:
    assert of("Edit the film so that the movie_year equals '2001'").value("year") == "2001"


def test_a_criterion_states_a_value_or_only_excludes_one() -> None:
    values = of("Open the lamp where the name is not 'Owl' and the maker contains 'Berg'")
    assert (values.has("name"), values.has("+name"), values.has("+maker"), values.has("price")) == (True, False, True, False)


def test_a_quantity_may_be_far_from_its_field() -> None:
    values = of("Change the quantity of the lamp with name 'Owl' in my basket to 6")
    assert (values.value("quantity"), values.value("name")) == ("6", "Owl")


def test_several_values_of_a_field_are_separated() -> None:
    values = of("Add the lamps where the name is one of ['Owl', 'Moon'] and the maker equals 'Berg'")
    assert [(copy.value("name"), copy.value("maker")) for copy in values.apart("name")] == [("Owl", "Berg"), ("Moon", "Berg")]
    assert values.apart("maker") == (values,)
    assert of("Add the lamps where the name is not one of ['Owl', 'Moon']").apart("name")[1:] == ()


def test_the_text_is_the_prompt_without_its_values() -> None:
    words = of("Share the film 'Delete the book' now, with its copy_text").text
    assert "copy text" in words
    assert "share the film" in words
    assert "delete" not in words


VALUES = st.sampled_from(["Little Owl", "owl", "Berg", "O'Hara", 'Moon "2"', "desk", "xyz", "a' or \"b"])
TEXTS = st.builds(
    Criterion,
    st.sampled_from(["name", "maker"]),
    st.sampled_from([Operator.EQUALS, Operator.NOT_EQUALS, Operator.CONTAINS, Operator.NOT_CONTAINS]),
    VALUES.map(lambda value: (value,)),
) | st.builds(
    Criterion,
    st.sampled_from(["name", "maker"]),
    st.sampled_from([Operator.ONE_OF, Operator.NOT_ONE_OF]),
    st.lists(VALUES, min_size=1, max_size=3).map(tuple),
)
AMOUNTS = st.decimals(0, 2000, places=2).map(lambda amount: (f"{amount:f}",))
NUMBERS = st.builds(
    Criterion,
    st.just("price"),
    st.sampled_from(
        [
            Operator.EQUALS,
            Operator.NOT_EQUALS,
            Operator.GREATER,
            Operator.LESS,
            Operator.GREATER_EQUAL,
            Operator.LESS_EQUAL,
        ]
    ),
    AMOUNTS,
)


def value_meets(criterion: Criterion, lamp: dict[str, str]) -> bool:
    if criterion.field != "price" or criterion.operator not in {Operator.EQUALS, Operator.NOT_EQUALS}:
        return meets(criterion, lamp[criterion.field].replace(",", ""))
    return (Decimal(lamp["price"].replace(",", "")) == Decimal(criterion.value)) is (criterion.operator is Operator.EQUALS)


@settings(deadline=None)
@given(st.lists(TEXTS | NUMBERS, max_size=4).map(tuple))
def test_a_card_is_picked_if_and_only_if_its_values_meet_all_criteria(criteria: tuple[Criterion, ...]) -> None:
    meeting = [lamp["name"] for lamp in LAMPS if all(value_meets(criterion, lamp) for criterion in criteria)]
    assert picked(FieldValues(criteria, "")) == meeting
