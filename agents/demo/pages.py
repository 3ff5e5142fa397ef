"""Small pages of the demo sites. Ids, classes and texts differ by look; structure and input types stay, as on the real ones."""

from __future__ import annotations

from html import escape
from random import Random
from urllib.parse import parse_qs, urlsplit

from agents.demo.sites import Site

SIGN_IN = ("Sign in", "Log in", "Login", "Access account")
SIGN_UP = ("Register", "Sign up", "Create account", "Join")
FIND = ("Search", "Find", "Go", "Look up")
HINTS = ("Search {thing}s", "Find a {thing}", "What are you looking for?")
SEND = ("Send", "Submit", "Send message")


def page(site: Site, look: int, url: str, logged_in: bool) -> str:
    """The HTML that `site` shows at `url` in its look `look`."""
    path = urlsplit(url).path
    rng = Random(f"{site.project} {look}")
    nav, search = _nav(rng, look, logged_in), _search(site, rng, look)
    body = nav + search + _main(site, rng, look, path, parse_qs(urlsplit(url).query))
    return f'<!DOCTYPE html><html lang="en"><head><title>{site.title}</title></head><body class="v{look % 7}">{body}</body></html>'


def _nav(rng: Random, look: int, logged_in: bool) -> str:
    sign_in, sign_up = rng.choice(SIGN_IN), rng.choice(SIGN_UP)
    guest = [_link("login", look, sign_in), _link("register", look, sign_up)]
    member = [_link("profile", look, "Profile"), _link("logout", look, "Log out")]
    links = [_link("", look, "Home"), _link("contact", look, "Contact"), *(member if logged_in else guest)]
    return f'<nav class="top-{look}">{"".join(links)}</nav>'


def _link(path: str, look: int, text: str) -> str:
    return f'<a id="{path or "home"}-link-{look}" href="/{path}?seed={look}">{escape(text)}</a>'


def _search(site: Site, rng: Random, look: int) -> str:
    hint = rng.choice(HINTS).format(thing=site.thing)
    fields = f'<input id="q-{look}" type="search" name="query" placeholder="{hint}">'
    return _form("search", look, fields, rng.choice(FIND))


def _form(path: str, look: int, fields: str, button: str) -> str:
    hidden = f'<input type="hidden" name="seed" value="{look}">'
    return f'<form action="/{path}">{hidden}{fields}<button id="{path}-go-{look}" type="submit">{button}</button></form>'


def _main(site: Site, rng: Random, look: int, path: str, query: dict[str, list[str]]) -> str:
    match path.strip("/").split("/"):
        case ["login" | "register" | "contact" as name]:
            return _entry_form(name, rng, look)
        case ["items", number] if number.isdigit() and int(number) < len(site.items):
            return _item(site, rng, look, int(number))
        case ["welcome" | "sent" | "cart" | "logout"]:
            return f"<main><h1>{site.title}</h1><p>Thank you.</p></main>"
    return _items(site, look, query.get("query", [""])[0])


def _entry_form(name: str, rng: Random, look: int) -> str:
    username, email, password = _field("username", "text", look), _field("email", "email", look), _field("password", "password", look)
    message = f'<label for="message-{look}">Message</label><textarea id="message-{look}" name="message"></textarea>'
    target, fields, buttons = {
        "login": ("welcome", username + password, SIGN_IN),
        "register": ("welcome", username + email + password, SIGN_UP),
        "contact": ("sent", email + message, SEND),
    }[name]
    return _form(target, look, fields, rng.choice(buttons))


def _field(name: str, type_: str, look: int) -> str:
    label = f'<label for="{name}-{look}">{name.capitalize()}</label>'
    return f'{label}<input id="{name}-{look}" type="{type_}" name="{name}">'


def _items(site: Site, look: int, wanted: str) -> str:
    found = [(number, name) for number, name in enumerate(site.items) if wanted.lower() in name.lower()]
    cards = "".join(
        f"<li><h3>{escape(name)}</h3><span>{site.trait}: {site.traits[number % len(site.traits)]}</span>"
        f'<a class="more-{look}" href="/items/{number}?seed={look}" aria-label="Details of {escape(name)}">Details</a></li>'
        for number, name in found
    )
    return f'<main><h1>{len(found)} {site.thing}s</h1><ul class="grid-{look}">{cards}</ul></main>'


def _item(site: Site, rng: Random, look: int, number: int) -> str:
    name, trait = escape(site.items[number]), site.traits[number % len(site.traits)]
    facts = f"<p>{site.trait}: {trait}</p><p>Rating: {rng.randint(30, 50) / 10}</p>"
    return f"<main><h1>{name}</h1>{facts}{_form('cart', look, '', 'Add to cart')}</main>"
