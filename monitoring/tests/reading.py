"""What a page says, without its markup."""

from django.http import HttpResponseBase
from lxml import html

HTMX = {"HX-Request": "true"}


def text_of(response: HttpResponseBase, path: str = "//body") -> str:
    """The words of the first element at an XPath, on one line."""
    return words_of(tree_of(response).xpath(path)[0])


def rows_of(response: HttpResponseBase) -> list[str]:
    """The words of each row of the page's tables."""
    return [words_of(row) for row in tree_of(response).xpath("//tbody/tr")]


def words_of(element: html.HtmlElement) -> str:
    """An element's words, with a space between its parts."""
    return " ".join(" ".join(element.itertext()).split())


def tree_of(response: HttpResponseBase) -> html.HtmlElement:
    """The page as a tree."""
    return html.document_fromstring(response.content.decode())  # type: ignore[attr-defined]
