"""Links and buttons to the form of a task, to the part of the site that it is about, and to the user's own page."""

import re
from collections.abc import Iterator, Sequence, Set

from agents.contract.origins import path_of
from agents.page import Element, Page, word_set, words
from agents.page.elements import BUTTONS, FIELDS, TEXT_FIELDS, score
from agents.template.budget import in_time
from agents.template.items.matching import LEADS_TO, best_button
from agents.template.moves import Move, press
from agents.template.prompt import ADDING, CHANGING, Intent, Kind, Trait, alike, meanings_of, names_of, target_of

# By label, verb and noun match; only by markup: "Submit" with the id "team-add-button"; SECTION: the form may be in that part of the site.
OWN, MARKED, SECTION, NAMED = 1.5, 1.2, 0.9, 0.55
# Each line: names of one kind of thing.
_NOUNS = """
film movie title picture
book title novel volume
matter case project engagement file
client customer account contact
log entry time hour timesheet billing
event appointment meeting schedule
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
# Nouns of links and buttons of other tasks.
FOREIGN = word_set("""profile account password list watchlist wishlist cart filter search login setting preference help support about
    home""")
# Words of buttons that put an item on a list of the user.
_KEEPS = frozenset({"favorite", "favourite", "wishlist", "watchlist", "bookmark", "later"})
_SENDS = ({"send"}, {"submit"}, {"post"})  # labels of buttons that send the text beside them and open no form
OWNERS = frozenset({"contact", "support", "help"})  # routes to the forms for the site's operators
_MOST_BESIDE = 4  # more buttons are no row of them, more words no name of a part of the site
OF_ONESELF = frozenset({"experience", "education", "skill", "certification", "bio", "headline"})  # parts of a profile
_THINGS = frozenset().union(*_ALIKE) | {"project"}
_LEADS_IN = r"(?:(?:then|next|and|please|now|also|first|finally|i want to|i need to|can you|could you)\b\W*)*"
_BEFORE_NOUN = r"(?:(?:an?|the|my|your|new|another|one|this|any|existing|user|calendar(?! (?:where|whose|with|named|called)\b))\s+)*"
_INTO = re.compile(r"^[^'\"]{0,40}?\b(?:in|on)?to (?:the|my|a|an) ([a-z]+)\b", re.I)  # as in: add members to the team
_NOUN = re.compile(rf"^\W*{_LEADS_IN}[a-z]+(?: up)?\s+{_BEFORE_NOUN}((?:time )?[a-z-]+)", re.I)
# After these words comes which one of the things is meant.
_HEAD = re.compile(r"\b(?:where|whose|that|which|with|to|from|named|called|titled)\b|[,;]", re.I)
_MADE = r"(?:authored|wrote|written|created|made|posted|published|added|uploaded)"
_OF_MINE = re.compile(
    rf"\b(?:(?:my|your|our|own)\s+(?P<thing>[a-z]+)|(?P<made>[a-z]+)\s+(?:(?:that|which)\s+)?I(?:'ve| have)?\s+{_MADE})\b", re.I
)
_ROUTE = re.compile(r"/(?:profile|account|dashboard|me|user)(?:[/?#]|$)", re.I)
_OWN_PAGES = ("profile", "my profile", "my account", "dashboard", "me")
# Words of tabs for something else: the user's data, saved items, something new.
_ELSE = frozenset({"profile", "password", "setting", "list", "new", "add", "create", "share", "save", "saved"})
# As in: send a message using the template …, save the template as a draft.
_USED = re.compile(
    r"\b(?:using|from|with) (?:an? |the |my )(?P<what>[a-z]+)\b|^\W*(?:please )?[a-z]+ (?:an? |the |my )?(?P<as>[a-z]+) as\b", re.I
)
_SURE = 0.7


def nouns_of(intent: Intent) -> frozenset[str]:
    """The object of the prompt's verb, by all its names: film and movie of "Add a film where …". Empty for kinds without verbs."""
    if not intent.kind.row.verbs:
        return frozenset()
    noun, into = _NOUN.match(intent.text), _INTO.search(intent.text)
    own = frozenset(words(f"{noun[1]} {into[1] if into else ''}")) if noun else frozenset()
    return own.union(*(group for group in _ALIKE if own & group))


def form_links(page: Page, intent: Intent) -> list[tuple[Element, float]]:
    row, nouns, links = intent.kind.row, nouns_of(intent), list[tuple[Element, float]]()
    prompt, head = set(words(intent.text)), set(words(intent.head))
    fields = {word for criterion in intent.criteria for name, weight in names_of(criterion.field) if weight > _SURE for word in words(name)}
    # A list item's controls are for that item; a menu's entry is itself one.
    is_of_none = (not intent.kind.has(Trait.OF_ITEM) or target_of(intent).is_any) and not is_own_item(intent)
    items = page.items if is_of_none and len(page.records) > 1 else {}
    listed = {place for place, record in items.items() if page.elements[place].text != record.text}
    filled = {field.form for field in page.usable(TEXT_FIELDS)}
    for control in in_time(page.usable(BUTTONS)):
        label = set(words(control.label or control.text))
        # A button that sends a form leads to no other.
        is_other = (
            control.place in listed
            or (control.submits and control.form in filled)
            or bool(label & _KEEPS - prompt)
            or adds_to_profile(control, intent)
            or (only_sends(control) and not label <= {"post"} & prompt)
            or (intent.kind is Kind.PERSON and place_of(control.href) in OWNERS)
        )
        if len(words(control.label or control.text)) > 5 or _leads_nowhere(control, page) or is_other:
            continue
        merit = max(_by_words(control, page, nouns, row.verbs), *_by_names(control, page, row.opened_by, row.routes))
        if intent.kind is Kind.EDIT_PROFILE and label <= CHANGING and _is_of_part(control, page, head & OF_ONESELF, fields):
            merit = OWN  # as in: edit my experience, where each part of the profile has its own "Edit"
        if merit >= NAMED - 0.05:
            # Its own words are surer than its markup, though less sure than those of a control without a contradiction.
            other = MARKED if merit >= OWN else NAMED
            links.append((control, min(merit, other) if makes_another(control, nouns, row.verbs) else merit))
    # Of buttons with one label, the one in the part of the page that shares words with the prompt.
    return sorted(links, key=lambda link: (link[0].footer, -link[1], -len(head & set(words(page.card(link[0])))), link[0].place))


def adds_to_profile(element: Element, intent: Intent) -> bool:
    """Whether it adds a part of the user's profile that the prompt does not name: "Add experience"."""
    label = set(words(element.label or element.text))
    return bool(label & ADDING and label & OF_ONESELF - set(words(intent.text)))


def is_form_open(page: Page) -> bool:
    """Whether the open dialog has several fields: to confirm it saves something."""
    return sum(element.layer > 0 and element.usable and element.role in FIELDS for element in page.elements) > 1


def only_sends(element: Element) -> bool:
    """Whether its label is just a verb of sending: it opens nothing, and is pressed as part of its form."""
    return set(words(element.label or element.text)) in _SENDS


def _is_of_part(element: Element, page: Page, nouns: Set[str], fields: Set[str]) -> bool:
    """Whether the controls nearest to it name the part to change, or the heading over it names a field."""
    near = next((block for block in page.blocks([element]) if len(block) > 1), [])
    beside = {word for element in near for word in words(element.label)} if len(near) <= _MOST_BESIDE else set[str]()
    return bool(beside & nouns or (not nouns and fields & set(words(page.heading_before(element)))))


def _leads_nowhere(element: Element, page: Page) -> bool:
    """Whether it leads to the page itself, or is a footer's button, which repeats the navigation."""
    if element.href:
        return path_of(element.href) == path_of(page.url) and not element.href.startswith("#") and path_of(page.url) != "/"
    return element.footer


def makes_another(element: Element, nouns: frozenset[str], verbs: frozenset[str]) -> bool:
    marked = set(words(element.hints))
    return bool(nouns and marked & _THINGS and marked & verbs) and not marked & nouns


def _by_words(element: Element, page: Page, nouns: frozenset[str], verbs: frozenset[str]) -> float:
    label = set(words(element.label or element.text))
    if label & FOREIGN - nouns:
        return 0.0
    about = bool(label & nouns)
    marked = set(words(element.hints))
    if label & verbs and about:
        return OWN
    if marked & verbs and marked & nouns and not element.submits:
        return MARKED
    if label & verbs and not (verbs == CHANGING and "write" in label):  # "Write an update" changes nothing
        return NAMED
    path = words(path_of(element.href)) if element.href else ()
    elsewhere = element.role == "tab" or (bool(element.href) and path_of(element.href) != path_of(page.url))
    return SECTION if elsewhere and (about or set(path[-1:]) & nouns) and len(path) <= 2 else 0.0


def _by_names(element: Element, page: Page, names: Sequence[str], routes: Sequence[str]) -> Iterator[float]:
    label = element.label or element.text
    yield max(max(score(element, name), 0.95 * alike(name, label)) - 0.01 * rank for rank, name in enumerate(names))
    path = path_of(element.href).lower() if element.href else ""
    yield 0.8 if any(f"/{route}" in path for route in routes) and path != path_of(page.url) else 0.0


def to_section(intent: Intent, page: Page) -> tuple[Move, ...]:
    used = _USED.search(intent.head)
    about = words(used["what"] or used["as"]) if used else words(_HEAD.split(intent.text, maxsplit=1)[0])
    here = path_of(page.url).rstrip("/")
    links = [link for link in in_time(page.usable({"link"})) if link.href and len(words(link.label)) <= 6]
    others = OWNERS if intent.kind is Kind.PERSON else frozenset[str]()
    named = [(place, link) for link in links if (place := place_of(link.href)) and path_of(link.href).rstrip("/") != here]
    places = [(place, link) for place, link in named if place not in others]
    # An item to be marked as important is not yet among the important ones.
    is_marked = intent.kind is Kind.MARK and not re.search(r"\bun[a-z]+", intent.head, re.I)
    leading = (button for button in page.usable({"button"}) if button.label.startswith(LEADS_TO) and not is_marked)
    places += [(word, button) for button in leading for word in (*words(button.label)[2:], *words(button.hints))]
    other = [name for word in about for name in names_of_thing(word)]
    # A label of several words is more certain than one: "Medical records" is not "Records".
    labelled = (link for link in links if len(own := words(link.label)) > 1 and set(own) <= set(about) and own[0] not in others)
    link = next((link for noun in (*about, *other) for place, link in places if place == noun), None)
    link = next(labelled, None) or link
    return (press(page, link),) if link else ()


def names_of_thing(thing: str) -> tuple[str, ...]:
    """A thing's own name, then its other names on sites."""
    return (thing, *sorted(frozenset().union(*(group for group in _ALIKE if thing in group)) - {thing} - OWNERS - FOREIGN))


def is_of_section(intent: Intent) -> bool:
    """Whether the prompt names the template or draft of a message, or what is to be cancelled, which may have its own part of the site."""
    return intent.kind is Kind.CANCEL or (intent.kind in (Kind.MESSAGE, Kind.DRAFT) and _USED.search(intent.head) is not None)


def place_of(href: str) -> str:
    """The word of an address with one part, in the singular: film for /films; "" for others, such as an item's or the start page's."""
    parts = [part for part in path_of(href).split("/") if part]
    named = words(parts[-1]) if len(parts) == 1 else ()
    return named[0] if len(named) == 1 else ""


def list_of(done: str, page: Page) -> Element | None:
    """The link to the list of such items: "Hidden posts" for hide, by its label or route."""
    links = (link for link in page.usable({"link"}) if link.href and len(words(link.label)) <= _MOST_BESIDE)
    named = ((link, words(f"{link.label} {path_of(link.href)}")) for link in links)
    return next((link for link, texts in named if any(word.startswith(done[:3].lower()) for word in texts)), None)


def is_own_item(intent: Intent) -> bool:
    return not target_of(intent).criteria and _OF_MINE.search(intent.text) is not None


def is_own_page(page: Page) -> bool:
    return _ROUTE.search(page.url) is not None


def to_own_part(intent: Intent, page: Page) -> tuple[Move, ...]:
    """To the user's own page, for a part of the profile."""
    return to_own_page(intent, page) if OF_ONESELF & set(words(intent.head)) and not is_own_page(page) else ()


def to_own_page(intent: Intent, page: Page) -> tuple[Move, ...]:
    if not is_own_page(page):
        routed = [link for link in page.usable({"link"}) if _ROUTE.search(link.href)]
        # In a feed, authors' names lead to profiles too.
        link = best_button(routed or page.usable(BUTTONS), _OWN_PAGES, _SURE) or next(iter(routed), None)
        return (press(page, link),) if link else ()
    tabs = [tab for tab in page.usable({"tab"}) or page.usable({"button"}) if not _ELSE & (meanings_of(tab.label) | meanings_of(tab.hints))]
    own = _OF_MINE.search(intent.text)
    thing = " ".join(words(own["thing"] or own["made"])) if own else "item"
    named = best_button(tabs, (f"edit {thing}", f"manage {thing}", thing), _SURE)
    tab = named or best_button(tabs, ("edit", "manage"), _SURE / 2)
    return (press(page, tab),) if tab is not None and not tab.selected else ()
