from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from agents.contract import selectors
from agents.contract.selectors import InvalidAction, Selector
from agents.tests.rows import rows

ANY_TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip)


def test_each_constructor_gives_the_exact_form() -> None:
    assert selectors.attribute("name", "query") == {"type": "attributeValueSelector", "attribute": "name", "value": "query"}
    assert selectors.attribute("custom", "text=Go") == {"type": "attributeValueSelector", "attribute": "custom", "value": "text=Go"}
    assert selectors.xpath("(//form//input)[1]") == {"type": "xpathSelector", "value": "(//form//input)[1]"}


@rows(
    "expression",
    [
        "//input[@type='password']",
        "(//form//input)[1]",
        "//form//button[@type='submit']",
        "//*[local-name()='svg']/ancestor::button[1]",
        "//a[contains(normalize-space(.), 'It: $5')]",
        "//label[text()='Name']/following-sibling::input",
        "//a[./@href]",
        "//li[not(@hidden) and (position() mod 2 = 1 or last())]",
    ],
)
def test_an_xpath_that_browsers_support_is_accepted(expression: str) -> None:
    assert selectors.xpath(expression)["value"] == expression


@rows(
    "expression",
    [
        "//",
        "//a[",
        "/html/body",
        "button",
        "xpath=//a",
        "((//a)[1]/b)[1]",
        " //a",
        "//a[ends-with(@id, 'x')]",
        "//a[matches(., 'x')]",
        "//svg:path",
        "//a[$x]",
        "//a/@href",
        "//a/text()",
        "(//a/text())[1]",
        "//a/text()[contains(., 'x')]",
        "//a\x00",
        "//a[.='\ud800']",
    ],
)
def test_an_xpath_that_would_fail_in_a_browser_is_refused(expression: str) -> None:
    with pytest.raises(InvalidAction, match=r"selector\.value"):
        selectors.xpath(expression)


@rows(
    ("name", "value"),
    [
        ("id", "1st"),
        ("id", "a:b"),
        ("id", "#go"),
        ("class", "md:flex"),
        ("name", "it's"),
        ("title", "a\\b"),
        ("title", "a\nb"),
        ("name", " "),
        ("on click", "x"),
        ("", "x"),
        ("custom", "a\ud800"),
        ("name", "a\0"),
        ("custom", "//a"),
        ("custom", "xpath=//a"),
        ("name", "x" * 2001),
    ],
)
def test_an_attribute_selector_that_css_cant_express_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidAction, match="selector"):
        selectors.attribute(name, value)


@rows(
    "raw",
    [
        None,
        [],
        {},
        {"type": "cssSelector", "value": "a"},
        {"type": ["xpathSelector"], "value": "//a"},
        {"type": "xpathSelector", "value": "//a", "attribute": None},
        {"type": "xpathSelector"},
        {"type": "xpathSelector", "value": 5},
        {"type": "tagContainsSelector", "value": "Go"},
        {"type": "tagContainsSelector", "value": "Go", "case_sensitive": False},
        {"type": "tagContainsSelector", "value": "Go", "case_sensitive": 1},
        {"type": "attributeValueSelector", "value": "Go"},
        {"type": "attributeValueSelector", "attribute": None, "value": "Go"},
    ],
)
def test_an_inexact_selector_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidAction, match="selector"):
        selectors.checked(raw)


@given(ANY_TEXT)
def test_a_quoted_literal_means_its_text(text: str) -> None:
    assert etree.XPath(selectors.quoted(text))(etree.Element("a")) == text


@given(st.sampled_from(["id", "name", "placeholder", "title", "data-testid"]), ANY_TEXT)
def test_whatever_an_attribute_holds_its_selector_finds_it(name: str, value: str) -> None:
    page = html.fromstring("<div><p>other</p><p>this</p></div>")
    page[1].set(name, value)
    selector = selectors.by_attribute(name, value)
    if selector["type"] == selectors.XPATH:
        assert page.xpath(selector["value"]) == [page[1]]
    else:
        assert "'" not in value
        assert "\\" not in value


def test_several_odd_classes_become_an_xpath_that_requires_all() -> None:
    page = html.fromstring('<div><p class="w-1/2"></p><p class="md:flex x w-1/2"></p></div>')
    assert page.xpath(selectors.by_attribute("class", "w-1/2 md:flex")["value"]) == [page[1]]


@pytest.mark.parametrize(
    ("selector", "text", "playwright"),
    [
        (selectors.attribute("id", "go"), 'the element with id "go"', "#go"),
        (selectors.attribute("class", "big red"), 'the element with class "big red"', ".big.red"),
        (selectors.attribute("href", "/a?seed=1"), 'the element with href "/a?seed=1"', "a[href='/a?seed=1']"),
        (selectors.attribute("name", "q"), 'the element with name "q"', "[name='q']"),
        (selectors.attribute("custom", "form button"), "form button", "form button"),
        (selectors.xpath("//a"), "//a", "xpath=//a"),
        (
            selectors.checked({"type": "tagContainsSelector", "value": "Log in", "case_sensitive": True}),
            'the text "Log in"',
            "text='Log in'",
        ),
    ],
)
def test_a_selector_reads_for_people_and_for_playwright(selector: Selector, text: str, playwright: str) -> None:
    assert selectors.in_words(selector) == text
    assert selectors.for_playwright(selector) == playwright
