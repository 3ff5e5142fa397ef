"""The demo sites, validators' tasks on them, and small pages of theirs: ids, classes and texts differ by seed."""

import uuid
from dataclasses import dataclass
from html import escape
from random import Random
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Site:
    """One demo site. `thing`: its kind of item; `items`: names of items; `trait`, `traits`: an attribute of items and its values."""

    project: str
    port: int
    thing: str
    items: tuple[str, ...]
    trait: str
    traits: tuple[str, ...]


# Project | thing | trait | values of the trait | items. The ports follow each other.
_TABLE = """
autocinema | film | genre | Drama, Science Fiction, Crime | Arrival, The Godfather, Inception, Parasite, Spirited Away, Heat
autobooks | book | author | Frank Herbert, George Eliot, Toni Morrison | Dune, Middlemarch, The Left Hand of Darkness, Beloved, The Trial
autozone | product | brand | Gaggia, Lumio, Bosch | Espresso Machine, Desk Lamp, Yoga Mat, Cordless Drill, Rain Jacket
autodining | restaurant | cuisine | Japanese, Italian, Indian | The Royal Dine, Zen Sushi, Pasta Palace, Curry Corner
autocrm | client | status | Active, On Hold, Archived | Acme Legal, Jessica Brown, Northwind, Sofia Ramirez
automail | email | sender | Alice Smith, Grace Lee, Billing | Project Kickoff, Invoice for March, Team Lunch, Your Flight Details
autodelivery | dish | size | Small, Medium, Large | Margherita Pizza, Pad Thai, Falafel Wrap, Miso Ramen
autolodge | hotel | location | Lisbon, Innsbruck, Oslo | Harbour View Loft, Alpine Hut, Old Town Flat, Lakeside Cabin
"""


def _site(port: int, line: str) -> Site:
    project, thing, trait, values, items = (cell.strip() for cell in line.split("|"))
    return Site(project, port, thing, tuple(items.split(", ")), trait, tuple(values.split(", ")))


SITES = tuple(_site(8000 + row, line) for row, line in enumerate(_TABLE.strip().splitlines()))
SEEDS = 300  # the demo sites differ at about this many seeds
PROMPTS = {
    "log in": (
        "Log in where username equals <username> and password equals <password>",
        "Please sign in with username:<username> and password:<password>",
    ),
    "log out": ("First log in with username '<username>' and password '<password>', then log out.",),
    "register": (
        "Register a new account where username equals <signup_username>, email equals <signup_email> and password equals <signup_password>",
    ),
    "search": ("Search for the {thing} '{item}'", "Use the search bar to find the {thing} whose name equals '{item}'"),
    "open": ("Open the details of the {thing} where name equals '{item}'", "Show me details about the {thing} '{item}'"),
    "open by trait": (
        "Navigate to a {thing} page where {trait} contains '{value}' and name not equals '{item}'",
        "View the detail page of a {thing} where {trait} is one of '{value}', and rating is greater equal 4",
    ),
    "contact": ("Fill out the contact form where email equals 'visitor@example.com' and message contains '{item}'",),
    "add to cart": ("Add the {thing} '{item}' to the cart where quantity is less than 3",),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One validator's task. `kind`: a key of PROMPTS; `url` carries `?seed=`; `seed` is that number."""

    id: str
    kind: str
    site: Site
    prompt: str
    url: str
    seed: int


def draw_task(rng: Random) -> Task:
    site, kind, seed = rng.choice(SITES), rng.choice(list(PROMPTS)), rng.randint(1, SEEDS)
    template = rng.choice(PROMPTS[kind])
    prompt = template.format(thing=site.thing, item=rng.choice(site.items), trait=site.trait, value=rng.choice(site.traits))
    id_ = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return Task(id_, kind, site, prompt, f"http://localhost:{site.port}/?seed={seed}", seed)


SIGN_IN = ("Sign in", "Log in", "Login", "Access account")
SIGN_UP = ("Register", "Sign up", "Create account", "Join")
FIND = ("Search", "Find", "Go", "Look up")
HINTS = ("Search {thing}s", "Find a {thing}", "What are you looking for?")
# By path: the form's target, its fields, and the texts that its button may have.
FORMS = {
    "login": ("welcome", ("username", "password"), SIGN_IN),
    "register": ("welcome", ("username", "email", "password"), SIGN_UP),
    "contact": ("sent", ("email", "message"), ("Send", "Submit", "Send message")),
}


def page(site: Site, seed: int, url: str, logged_in: bool) -> str:
    rng, title = Random(f"{site.project} {seed}"), site.project.capitalize()
    guest = {"login": rng.choice(SIGN_IN), "register": rng.choice(SIGN_UP)}
    links = {"": "Home", "contact": "Contact", **({"profile": "Profile", "logout": "Log out"} if logged_in else guest)}
    nav = "".join(f'<a id="{path or "home"}-link-{seed}" href="/{path}?seed={seed}">{text}</a>' for path, text in links.items())
    hint = rng.choice(HINTS).format(thing=site.thing)
    search = _form("search", seed, f'<input id="q-{seed}" type="search" name="query" placeholder="{hint}">', rng.choice(FIND))
    body = f'<nav class="top-{seed}">{nav}</nav>{search}{_main(site, title, rng, seed, url)}'
    return f'<!DOCTYPE html><html lang="en"><head><title>{title}</title></head><body class="v{seed % 7}">{body}</body></html>'


def _form(path: str, seed: int, fields: str, button: str) -> str:
    hidden = f'<input type="hidden" name="seed" value="{seed}">'
    return f'<form action="/{path}">{hidden}{fields}<button id="{path}-go-{seed}" type="submit">{button}</button></form>'


def _main(site: Site, title: str, rng: Random, seed: int, url: str) -> str:
    match urlsplit(url).path.strip("/").split("/"):
        case ["login" | "register" | "contact" as name]:
            target, fields, buttons = FORMS[name]
            return _form(target, seed, "".join(_field(field, seed) for field in fields), rng.choice(buttons))
        case ["items", number] if number.isdigit() and int(number) < len(site.items):
            facts = f"<p>{_trait(site, int(number))}</p><p>Rating: {rng.randint(30, 50) / 10}</p>"
            return f"<main><h1>{escape(site.items[int(number)])}</h1>{facts}{_form('cart', seed, '', 'Add to cart')}</main>"
        case ["welcome" | "sent" | "cart" | "logout"]:
            return f"<main><h1>{title}</h1><p>Thank you.</p></main>"
    query = parse_qs(urlsplit(url).query).get("query", [""])[0].lower()
    matches = [(number, name) for number, name in enumerate(site.items) if query in name.lower()]
    cards = "".join(
        f'<li><h3>{escape(name)}</h3><span>{_trait(site, number)}</span><a class="more-{seed}" href="/items/{number}?seed={seed}" '
        f'aria-label="Details of {escape(name)}">Details</a></li>'
        for number, name in matches
    )
    return f'<main><h1>{len(matches)} {site.thing}s</h1><ul class="grid-{seed}">{cards}</ul></main>'


def _field(name: str, seed: int) -> str:
    label = f'<label for="{name}-{seed}">{name.capitalize()}</label>'
    if name == "message":
        return f'{label}<textarea id="message-{seed}" name="message"></textarea>'
    return f'{label}<input id="{name}-{seed}" type="{"text" if name == "username" else name}" name="{name}">'


def _trait(site: Site, number: int) -> str:
    return f"{site.trait}: {site.traits[number % len(site.traits)]}"
