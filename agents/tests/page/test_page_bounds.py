"""Reading a page costs about as much as it is long, whatever is in it, and an ordinary page is read as it is."""

import gc
import re
import time
from itertools import islice
from random import Random
from typing import Any

import pytest
from lxml import etree

from agents.contract.limits import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_BROKEN_TAGS, MAX_PAGE, MAX_TAGS
from agents.page import read
from agents.page.bounding import bounded
from agents.page.interactive import MOST_ELEMENTS
from agents.tests.long_pages import films
from agents.tests.mini_site import MiniSite
from agents.tests.rows import rows
from bench.reading import PAGES

# What makes a page odd, in any order: quotes, ends, texts of scripts, comments and declarations.
PIECES = (
    *(
        "</",
        ">",
        "/>",
        "<a",
        "<div ",
        "<p>",
        "</p>",
        " ",
        "=",
        "'",
        '"',
        "a",
        "b=1",
        "x='y'",
        'z="w"',
        "</a>",
        "<br/>",
        "\n",
        "/",
        "<1",
        "<>",
    ),
    *(
        "<!--",
        "-->",
        "--!>",
        "-",
        "<!",
        "<?",
        "<![CDATA[",
        "<!doctype html>",
        "&amp;",
        "&lt",
        "\xa0",
        "\x0b",
        "<svg>",
        "<a href=/x/>",
        "a='1'b='2'",
    ),
    *(
        "<script>",
        "</script>",
        "<script />",
        "<style>",
        "</style>",
        "<title>",
        "</title>",
        "<textarea>",
        "</textarea",
        "<xmp>",
        "</xmp>",
        "<iframe>",
    ),
)
_ORDINARY_NAME = re.compile(r"[\w:.-]+")


def tree(html: str) -> list[Any]:
    """All that the parser makes of a page, without the texts of scripts and the like."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(html.encode(), parser)
    except etree.XMLSyntaxError:
        return []
    silent = {"script", "style", "iframe", "xmp"}
    nodes = [] if root is None else list(root.iter())
    return [(node.tag, sorted(node.items()), "" if node.tag in silent else node.text or "", node.tail or "") for node in nodes]


def is_ordinary(nodes: list[Any]) -> bool:
    """Whether names have letters alone: others are left out, as nobody selects by them."""
    return len(nodes) > 2 and all(
        _ORDINARY_NAME.fullmatch(name) for tag, items, _, _ in nodes for name in (tag, *(key for key, _ in items))
    )


def pages(seed: int) -> list[str]:
    rng = Random(seed)
    made = ("".join(rng.choices(PIECES, k=rng.randrange(2, 14))) for _ in range(20_000))
    return list(islice((page for page in made if not page.endswith("</") and is_ordinary(tree(page))), 3_000))


def test_what_is_written_anew_is_read_like_what_was_sent() -> None:
    changed = 0
    for page in pages(11):
        within, cuts = bounded(page)
        assert not cuts
        assert tree(within) == tree(page), page
        changed += within != page
    assert changed > 500


@pytest.mark.parametrize("page", [*PAGES.values(), *(MiniSite(3, user="ann").get(path, {}) for path in ("/", "/films/2", "/contact"))])
def test_an_ordinary_page_is_passed_on_as_it_is(page: str) -> None:
    assert bounded(page) == (page, ())


def attributes(count: int) -> str:
    return "<div " + " ".join(f"a{number}=1" for number in range(count)) + ">x</div><a href=/x>y</a>"


@rows(
    ("page", "cut"),
    [
        (attributes(MAX_ATTRIBUTES * 3), "Page: attributes of 1 tags beyond the first 100, or 64,000 characters, were left out."),
        ("<a " + " ".join(f"x{at}={'y' * 5_000}" for at in range(30)) + ">", "Page: attributes of 1 tags beyond the first 100, or 64,000 characters, were left out."),
        (f"<a class='{'x ' * MAX_ATTRIBUTE}' id=z>", "Page: 1 attributes of more than 8,000 characters were left out."),
        ("<p>x" * (MAX_TAGS + 5), "Page: its first 100,000 tags were read."),
        ("<p>" + "x" * MAX_PAGE, "Page: its first 5,000,000 of 5,000,027 characters were read."),
        ("<p b'c=1>" * (MAX_BROKEN_TAGS + 5), "Page: its markup is broken in more than 10,000 places, or 50,000 attributes; what comes before was read."),
        (f"<p {' '.join(f'd{at}=1' for at in range(90))}>" * 2_000, "Page: its markup is broken in more than 10,000 places, or 50,000 attributes; what comes before was read."),
        ("<button>x</button>" * (MOST_ELEMENTS + 5), "Page: the first 1,500 of its links, buttons and fields were read."),
        ("<div>" * 300, "Page: it nests more than 256 elements inside of each other; what comes before was read."),
    ],
)  # fmt: skip
def test_what_is_left_out_is_named(page: str, cut: str) -> None:
    assert read(f"<a href=/first>first</a>{page}", "").cuts == (cut,)


def test_what_stands_beside_a_cut_is_read() -> None:
    page = read(f"<form><input name=q {attributes(5_000)[5:-26]}></form><a class='{'x' * 9_000}' href=/x>Next</a>", "")
    assert [(element.tag, element.name, element.label) for element in page.elements] == [("input", "q", ""), ("a", "", "Next")]


def test_the_attributes_of_a_tag_cost_no_more_for_being_many() -> None:
    def seconds(count: int) -> float:
        page = attributes(count)
        started = time.thread_time()
        read(page, "")
        return time.thread_time() - started

    seconds(100)
    small, large = (min(seconds(count) for _ in range(3)) for count in (20_000, 40_000))
    assert large < max(4 * small, 0.5)
    # It took 46 s.
    assert large < 10


@pytest.mark.parametrize(
    "hidden",
    [
        "<a x=1\xa0y='>{}'>",
        "<script /><p x='</script>{}'>",
        "<a 'b' c='>{}'>",
        "<!-->{}-->",
        "<title />{}",
        "<a\x0bb='>{}'>",
        "<ſcript>{}</ſcript>",
    ],
)
def test_many_attributes_are_found_wherever_they_are_hidden(hidden: str) -> None:
    page = hidden.replace("{}", attributes(7_000)) * 3
    within, _ = bounded(page)
    assert max((len(items) for _, items, _, _ in tree(within)), default=0) <= MAX_ATTRIBUTES


def test_what_was_read_of_a_page_is_freed_at_once() -> None:
    """Without a search for cycles: a process would keep the parsed pages of many steps until then."""
    gc.collect()
    gc.disable()
    try:
        for record in read(films(20), "http://localhost:8000/films?seed=58").records:
            assert record.name
        del record
        assert gc.collect() == 0
    finally:
        gc.enable()
