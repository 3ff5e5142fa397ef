"""The text of a page, without its markup."""

from django.http import HttpResponseBase
from lxml import html

HTMX = {"HX-Request": "true"}


def text_of(response: HttpResponseBase, path: str = "//body") -> str:
    """The text of the first element at an XPath, on one line."""
    return element_text(tree_of(response).xpath(path)[0])


def rows_of(response: HttpResponseBase) -> list[str]:
    """The text of each row of the page's tables."""
    return [element_text(row) for row in tree_of(response).xpath("//tbody/tr")]


def element_text(element: html.HtmlElement) -> str:
    """The text of an element, with a space between its parts."""
    return " ".join(" ".join(element.itertext()).split())


def tree_of(response: HttpResponseBase) -> html.HtmlElement:
    """The page as a tree."""
    return html.document_fromstring(response.content.decode())  # type: ignore[attr-defined]
