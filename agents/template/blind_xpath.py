"""XPaths for unknown pages, built from what varies least between sites and visits."""

from collections.abc import Sequence
from typing import Any

from lxml import etree

from agents.contract.selectors import XPATH, Selector, quoted
from agents.page import Element, Page

PASSWORD = "(//input[@type='password'])[1]"  # noqa: S105 (an XPath)
# In a form with two password fields this is the repetition, else the same field.
PASSWORD_AGAIN = "(//input[@type='password'])[last()]"  # noqa: S105 (an XPath)
_FORM = "//form[.//input[@type='password']]"
_FORMLESS = "//input[@type='password'][not(ancestor::form)]"
_TEXT = "not(@type) or @type='text'"
# The text field before the password: the user's name or address, whatever its label.
BESIDE_PASSWORD = f"({_FORM}//input[{_TEXT} or @type='email'] | {_FORMLESS}/preceding::input[{_TEXT} or @type='email'][1])[1]"
NAME = f"({_FORM}//input[{_TEXT}] | {_FORMLESS}/preceding::input[{_TEXT}][1])[1]"
# In a form without a field for addresses this is the password field, which is filled afterwards.
EMAIL = f"({_FORM}//input[@type='email'] | {_FORM}//input[@type='password'] | {_FORMLESS}/preceding::input[@type='email'])[1]"
SEND_PASSWORD = f"({_FORM}//button[@type='submit' or not(@type)] | {_FORM}//input[@type='submit'] | {_FORMLESS}/following::button[1])[1]"
TEXT_FIELD = "(//input[@type='search' or @type='text' or not(@type)])[1]"


def folded(what: str, text: str) -> str:
    """An XPath of `what` in lower case, as far as a comparison with `text` requires it: selectors have a limited length."""
    letters = "".join(sorted({letter for letter in text.lower() if "a" <= letter <= "z"}))
    return f"translate({what},'{letters.upper()}','{letters}')"


def pressed(texts: Sequence[str], routes: Sequence[str] = ()) -> str:
    """The first link to one of the routes, or link or button whose text contains one of the texts, in page order."""
    labelled = " or ".join(f"contains({folded('normalize-space()', text)},{quoted(text.lower())})" for text in texts)
    paths = [f"//*[self::a or self::button or @role='button'][{labelled}]"]
    if routes:
        leads = " or ".join(f"contains({folded('@href', route)},{quoted(route)})" for route in routes)
        paths.insert(0, f"//a[{leads}]")
    return "(" + " | ".join(paths) + ")[1]"


def item(name: str) -> str:
    """The first link whose text contains the name, or in the smallest block with a link whose heading or text contains it."""
    named = f"contains({folded('normalize-space()', name)},{quoted(' '.join(name.lower().split()))})"
    texts = " or ".join(f"self::{tag}" for tag in ("h1", "h2", "h3", "h4", "h5", "p", "span", "strong"))
    return f"(//a[{named}] | //*[{texts}][{named}]/ancestor::*[.//a][1]//a)[1]"


def element_at(expression: str, page: Page) -> Element | None:
    """The control that an XPath picks first; None if it picks none, or is invalid."""
    node = node_at(expression, page)
    return None if node is None else next((element for element in page.elements if page.node(element) is node), None)


def node_at(expression: str, page: Page) -> Any:
    if not page.elements:
        return None
    try:
        nodes = page.node(page.elements[0]).getroottree().xpath(expression)
    except (etree.XPathError, ValueError):
        return None
    return nodes[0] if isinstance(nodes, list) and nodes else None


def picked(selector: Selector, page: Page) -> Element | None:
    """The element with this selector, or the first one that its XPath picks, as of a button beside a name; None for no selector."""
    if not selector:
        return None
    by_xpath = element_at(str(selector.get("value", "")), page) if selector.get("type") == XPATH else None
    return page.element(selector) or by_xpath
