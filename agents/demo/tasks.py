"""Tasks as validators word them, drawn from a seeded generator."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from agents.demo.sites import SITES, Site

SEEDS = 300  # the demo sites have about this many looks


class Kind(StrEnum):
    """What a task wants to have happened."""

    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    REGISTER = "register"
    SEARCH = "search"
    OPEN = "open"
    OPEN_BY_TRAIT = "open_by_trait"
    CONTACT = "contact"
    ADD_TO_CART = "add_to_cart"


PROMPTS = {
    Kind.LOG_IN: (
        "Log in where username equals <username> and password equals <password>",
        "Please sign in with username:<username> and password:<password>",
    ),
    Kind.LOG_OUT: ("First log in with username '<username>' and password '<password>', then log out.",),
    Kind.REGISTER: (
        "Register a new account where username equals <signup_username>, email equals <signup_email> and password equals <signup_password>",
    ),
    Kind.SEARCH: ("Search for the {thing} '{item}'", "Use the search bar to find the {thing} whose name equals '{item}'"),
    Kind.OPEN: ("Open the details of the {thing} where name equals '{item}'", "Show me details about the {thing} '{item}'"),
    Kind.OPEN_BY_TRAIT: (
        "Navigate to a {thing} page where {trait} contains '{value}' and name not equals '{item}'",
        "View the detail page of a {thing} where {trait} is one of '{value}', and rating is greater equal 4",
    ),
    Kind.CONTACT: ("Fill out the contact form where email equals 'visitor@example.com' and message contains '{item}'",),
    Kind.ADD_TO_CART: ("Add the {thing} '{item}' to the cart where quantity is less than 3",),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One validator's task. `url` carries `?seed=`; `look` is that seed."""

    id: str
    kind: Kind
    site: Site
    prompt: str
    url: str
    look: int


def draw_task(rng: Random) -> Task:
    """The next task of the generator."""
    site, kind, look = rng.choice(SITES), rng.choice(list(Kind)), rng.randint(1, SEEDS)
    wording = rng.choice(PROMPTS[kind])
    prompt = wording.format(thing=site.thing, item=rng.choice(site.items), trait=site.trait, value=rng.choice(site.traits))
    id_ = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return Task(id_, kind, site, prompt, f"http://localhost:{site.port}/?seed={look}", look)
