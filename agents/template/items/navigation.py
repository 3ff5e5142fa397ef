"""What leads to the form of a task, to the part of the site that it is about, and to one's own page."""

import re
from collections.abc import Iterator, Sequence, Set

from agents.contract.origins import path_of
from agents.page import Element, Page
from agents.page.elements import BUTTONS, TEXT_FIELDS, score
from agents.page.matching import words
from agents.template.budget import in_time
from agents.template.items.matching import LEADS_TO, best_button
from agents.template.moves import Move, press
from agents.template.prompt import Intent, Kind, Trait, target_of
from agents.template.prompt.synonyms import alike, meant, names_of, words_of
from agents.template.prompt.task_rows import CHANGING

# Surely meant: by the prompt's own verb and noun. From SECTION down it is the part of the site that the form may be in.
# Between the two is what only the markup calls so: "Submit" with the id "team-add-button".
OWN, MARKED, SECTION, NAMED = 1.5, 1.2, 0.9, 0.55
# What else sites call the things that prompts speak of.
_NOUNS = """
film movie title picture
book title novel volume
matter case project engagement file
client customer account contact
log entry time hour timesheet billing
event appointment meeting calendar schedule
task todo
document file
team group
channel room
post update status
job position gig
expense cost receipt
server community
address location
review comment feedback note rating
expert consultant consultation freelancer professional specialist
"""
_ALIKE = tuple(frozenset(line.split()) for line in _NOUNS.strip().splitlines())
# What a lead, or a form's button, of another task is about.
FOREIGN = frozenset(
    """profile account password list watchlist wishlist cart filter search login setting preference help support about
    home""".split()  # noqa: SIM905
)
# What puts an item on a list of one's own.
_KEEPS = frozenset({"favorite", "favourite", "wishlist", "watchlist", "bookmark", "later"})
# What sends what is written here, and opens no form.
_SENDS = ({"send"}, {"submit"}, {"post"})
# Where those are written to who run the site.
OWNERS = frozenset({"contact", "support", "help"})
_MOST_BESIDE = 4  # more buttons are no row of them, more words no name of a part of the site
# What a profile is made of.
_OF_ONESELF = frozenset({"experience", "education", "skill", "certification", "bio", "headline"})
_THINGS = frozenset().union(*_ALIKE) | {"project"}
_LEADS_IN = r"(?:(?:then|next|and|please|now|also|first|finally|i want to|i need to|can you|could you)\b\W*)*"
_BEFORE_NOUN = r"(?:(?:an?|the|my|your|new|another|one|this|any|existing|user|calendar)\s+)*"
# As in: add members to the team.
_INTO = re.compile(r"^[^'\"]{0,40}?\b(?:in|on)?to (?:the|my|a|an) ([a-z]+)\b", re.I)
_NOUN = re.compile(rf"^\W*{_LEADS_IN}[a-z]+(?: up)?\s+{_BEFORE_NOUN}((?:time )?[a-z-]+)", re.I)
# What follows these words says which one of the things is meant.
_HEAD = re.compile(r"\b(?:where|whose|that|which|with|to|from|named|called|titled)\b|[,;]", re.I)
_MADE = r"(?:authored|wrote|written|created|made|posted|published|added|uploaded)"
_OF_MINE = re.compile(
    rf"\b(?:(?:my|your|our|own)\s+(?P<thing>[a-z]+)|(?P<made>[a-z]+)\s+(?:(?:that|which)\s+)?I(?:'ve| have)?\s+{_MADE})\b", re.I
)
_ROUTE = re.compile(r"/(?:profile|account|dashboard|me|user)(?:[/?#]|$)", re.I)
_OWN_PAGES = ("profile", "my profile", "my account", "dashboard", "me")
# What a tab for something else says: one's data, what one has saved, something new.
_ELSE = frozenset({"profile", "password", "setting", "list", "new", "add", "create", "share", "save", "saved"})
# As in: send a message using the template …, save the template as a draft.
_USED = re.compile(
    r"\b(?:using|from|with) (?:an? |the |my )(?P<what>[a-z]+)\b|^\W*(?:please )?[a-z]+ (?:an? |the |my )?(?P<as>[a-z]+) as\b", re.I
)
_SURE = 0.7


def nouns_of(intent: Intent) -> frozenset[str]:
    """What the prompt's verb is about, by all its names: film and movie of "Add a film where …". None where links aren't named by it."""
    if not intent.kind.row.verbs:
        return frozenset()
    found, into = _NOUN.match(intent.words), _INTO.search(intent.words)
    own = frozenset(words(f"{found[1]} {into[1] if into else ''}")) if found else frozenset()
    return own.union(*(group for group in _ALIKE if own & group))


def form_links(page: Page, intent: Intent) -> list[tuple[Element, float]]:
    row, nouns, found = intent.kind.row, nouns_of(intent), list[tuple[Element, float]]()
    asked, head = set(words(intent.words)), set(words(intent.head))
    fields = {word for one in intent.criteria for name, weight in names_of(one.field) if weight > _SURE for word in words(name)}
    # What an item of a list offers is for that item; an entry of a menu offers itself.
    is_of_none = (not intent.kind.has(Trait.OF_ITEM) or target_of(intent).is_any) and not is_own_item(intent)
    items = page.items if is_of_none and len(page.records) > 1 else {}
    listed = {place for place, record in items.items() if page.elements[place].text != record.text}
    filled = {one.form for one in page.usable(TEXT_FIELDS)}
    for one in in_time(page.usable(BUTTONS)):
        said = set(words(one.label or one.text))
        # What sends a form leads to no other.
        is_other = (
            one.place in listed
            or (one.submits and one.form in filled)
            or bool(said & _KEEPS - asked)
            or (only_sends(one) and not said <= {"post"} & asked)
            or (intent.kind is Kind.PERSON and place_of(one.href) in OWNERS)
        )
        if len(words(one.label or one.text)) > 5 or _leads_nowhere(one, page) or is_other:
            continue
        merit = max(_by_words(one, page, nouns, row.verbs), *_by_names(one, page, row.opened_by, row.routes))
        if intent.kind is Kind.EDIT_PROFILE and said <= CHANGING and _is_of_part(one, page, head & _OF_ONESELF, fields):
            merit = OWN  # as in: edit my experience, where each part of the profile has its own "Edit"
        if merit >= NAMED - 0.05:
            found.append((one, min(merit, NAMED) if makes_another(one, nouns, row.verbs) else merit))
    # Of buttons that are called alike, that in the part of the page which the prompt speaks of.
    return sorted(found, key=lambda link: (link[0].footer, -link[1], -len(head & set(words(page.card(link[0])))), link[0].place))


def only_sends(element: Element) -> bool:
    """Whether it says no more than that it sends what is written: it opens nothing, and is for the form to press."""
    return set(words(element.label or element.text)) in _SENDS


def _is_of_part(element: Element, page: Page, nouns: Set[str], fields: Set[str]) -> bool:
    """Whether the controls nearest to it speak of what is to be changed, or the heading over it does of a field."""
    near = next((block for block in page.blocks([element]) if len(block) > 1), [])
    beside = {word for one in near for word in words(one.label)} if len(near) <= _MOST_BESIDE else set[str]()
    return bool(beside & nouns or (not nouns and fields & set(words(page.heading_before(element)))))


def _leads_nowhere(element: Element, page: Page) -> bool:
    """Whether it leads to the page itself, or is a footer's button: that is only another way around the site."""
    if element.href:
        return path_of(element.href) == path_of(page.url) and not element.href.startswith("#") and path_of(page.url) != "/"
    return element.footer


def makes_another(element: Element, nouns: frozenset[str], verbs: frozenset[str]) -> bool:
    marked = set(words(element.hints))
    return bool(nouns and marked & _THINGS and marked & verbs) and not marked & nouns


def _by_words(element: Element, page: Page, nouns: frozenset[str], verbs: frozenset[str]) -> float:
    said = set(words(element.label or element.text))
    if said & FOREIGN - nouns:
        return 0.0
    about = bool(said & nouns)
    marked = set(words(element.hints))
    if said & verbs and about:
        return OWN
    if marked & verbs and marked & nouns and not element.submits:
        return MARKED
    if said & verbs and not (verbs == CHANGING and "write" in said):  # "Write an update" changes nothing
        return NAMED
    path = words(path_of(element.href)) if element.href else ()
    elsewhere = element.role == "tab" or (bool(element.href) and path_of(element.href) != path_of(page.url))
    return SECTION if elsewhere and (about or set(path[-1:]) & nouns) and len(path) <= 2 else 0.0


def _by_names(element: Element, page: Page, names: Sequence[str], routes: Sequence[str]) -> Iterator[float]:
    said, known = element.label or element.text, words_of(tuple(names))
    if known.isdisjoint(element.forms) and known.isdisjoint(meant(said)):
        yield 0.0
    else:
        yield max(max(score(element, name), 0.95 * alike(name, said)) - 0.01 * rank for rank, name in enumerate(names))
    path = path_of(element.href).lower() if element.href else ""
    yield 0.8 if any(f"/{route}" in path for route in routes) and path != path_of(page.url) else 0.0


def to_section(intent: Intent, page: Page) -> tuple[Move, ...]:
    used = _USED.search(intent.head)
    said = words(used["what"] or used["as"]) if used else words(_HEAD.split(intent.words, maxsplit=1)[0])
    here = path_of(page.url).rstrip("/")
    links = [link for link in in_time(page.usable({"link"})) if link.href and len(words(link.label)) <= 6]
    others = OWNERS if intent.kind is Kind.PERSON else frozenset[str]()
    named = [(place, link) for link in links if (place := place_of(link.href)) and path_of(link.href).rstrip("/") != here]
    places = [(place, link) for place, link in named if place not in others]
    # What is to be marked as important is not yet among the important ones.
    is_marked = intent.kind is Kind.MARK and not re.search(r"\bun[a-z]+", intent.head, re.I)
    leading = (one for one in page.usable({"button"}) if one.label.startswith(LEADS_TO) and not is_marked)
    places += [(word, one) for one in leading for word in (*words(one.label)[2:], *words(one.hints))]
    other = [name for word in said for name in names_of_thing(word)]
    # What is called by several words is surer than what is by one: "Medical records" is not "Records".
    labelled = (link for link in links if len(own := words(link.label)) > 1 and set(own) <= set(said) and own[0] not in others)
    found = next((link for noun in (*said, *other) for place, link in places if place == noun), None)
    found = next(labelled, None) or found
    return (press(page, found),) if found else ()


def names_of_thing(thing: str) -> tuple[str, ...]:
    """A thing's own name, then what else sites call their part with such things."""
    return (thing, *sorted(frozenset().union(*(group for group in _ALIKE if thing in group)) - {thing} - OWNERS - FOREIGN))


def is_of_section(intent: Intent) -> bool:
    """Whether the prompt names what a message is made of, which may have a part of the site of its own."""
    return intent.kind in (Kind.MESSAGE, Kind.DRAFT) and _USED.search(intent.head) is not None


def place_of(href: str) -> str:
    """The one word that the last part of an address is, in the singular; empty for an item's or the start page's."""
    parts = [part for part in path_of(href).split("/") if part]
    named = words(parts[-1]) if len(parts) == 1 else ()
    return named[0] if len(named) == 1 else ""


def list_of(done: str, page: Page) -> Element | None:
    """The link to the list of what was done so: "Hidden posts" for hide, or by its route."""
    links = (one for one in page.usable({"link"}) if one.href and len(words(one.label)) <= _MOST_BESIDE)
    named = ((one, words(f"{one.label} {path_of(one.href)}")) for one in links)
    return next((one for one, said in named if any(word.startswith(done[:3].lower()) for word in said)), None)


def is_own_item(intent: Intent) -> bool:
    return not target_of(intent).criteria and _OF_MINE.search(intent.words) is not None


def is_own_page(page: Page) -> bool:
    return _ROUTE.search(page.url) is not None


def to_own_part(intent: Intent, page: Page) -> tuple[Move, ...]:
    """To one's own page, for what is a part of it."""
    return to_own_page(intent, page) if _OF_ONESELF & set(words(intent.head)) and not is_own_page(page) else ()


def to_own_page(intent: Intent, page: Page) -> tuple[Move, ...]:
    if not is_own_page(page):
        routed = [link for link in page.usable({"link"}) if _ROUTE.search(link.href)]
        # In a feed each author's name leads to a profile, too.
        link = best_button(routed or page.usable(BUTTONS), _OWN_PAGES, _SURE) or next(iter(routed), None)
        return (press(page, link),) if link else ()
    tabs = [tab for tab in page.usable({"tab"}) or page.usable({"button"}) if not _ELSE & (meant(tab.label) | meant(tab.hints))]
    found = _OF_MINE.search(intent.words)
    thing = " ".join(words(found["thing"] or found["made"])) if found else "item"
    named = best_button(tabs, (f"edit {thing}", f"manage {thing}", thing), _SURE)
    tab = named or best_button(tabs, ("edit", "manage"), _SURE / 2)
    return (press(page, tab),) if tab is not None and not tab.selected else ()
