"""What an item's texts say about it: labelled, or known by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from agents.page.matching import words

_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_AMOUNT = r"\d[\d,]*(?:\.\d+)?"
_PRICE = re.compile(rf"[$€£¥₹]\s?{_AMOUNT}|\b{_AMOUNT}\s?(?:USD|EUR|GBP|€|£)(?!\w)")
_RATING = re.compile(
    r"(?<![\d.])(\d{1,2}(?:[.,]\d+)?)\s*(?:/\s*(?:5|10)(?![\d/])|out of (?:5|10)\b|stars?\b|[★⭐])"
    r"|[★⭐☆]\s*(\d{1,2}(?:[.,]\d+)?)(?!\d)"
    r"|^(\d{1,2}[.,]\d+)\s*\([\d,.]+k?\+?(?:\s*(?:reviews?|ratings?|votes?))?\)",
    re.I,
)
_PAGES = re.compile(r"(\d{1,5}) ?(?:pages|pp?\.?)", re.I)
_LEAST_PHONE = 8
_STARS = re.compile(r"[★⭐]{1,10}(?=[☆✩]*$)")
BARE_RATING = re.compile(r"(?:10|\d)\.\d{1,2}")
_REVIEWS = re.compile(r"\(?(\d[\d,.]*k?)\s*\+?\)?\s*(?:reviews?|ratings?|votes?|comments?)\b", re.I)
_DURATION = re.compile(
    r"\b\d{1,3}\s?h(?:(?:ou)?rs?)?\b(?:\s?\d{1,2}\s?m(?:in(?:ute)?s?)?\b)?|\b\d{1,4}\s?min(?:ute)?s?\b|^\d{2,3}\s?m$",
    re.I,
)
_DAY = rf"\d{{4}}-\d\d-\d\d|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{1,2}} {_MONTHS},? \d{{4}}|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}"
_DATE = re.compile(rf"\b(?:{_DAY})\b", re.I)
_YEAR = re.compile(r"\(?(1[5-9]\d\d|20\d\d)\)?")
_PERSON = re.compile(r"(?:(directed|written|created|posted|sold|hosted|narrated|published)\s+)?by:?\s+(\S.{0,79})", re.I)
_PERSONS = {
    "directed": "director", "written": "author", "sold": "seller", "hosted": "host", "narrated": "narrator", "published": "publisher",
}  # fmt: skip
_STOCK = re.compile(r"(?:only )?\d+ (?:left|in stock)(?: in stock)?|in stock|out of stock|sold out|unavailable|low stock", re.I)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_PHONE = re.compile(r"\+?\(?\d[\d ().-]{7,18}\d")
_LABELLED = re.compile(r"([A-Za-z][\w /&-]{0,29}?)\s*[:：]\s*(\S.*)?")
_PARTS = re.compile(r"\s*[•·|]\s*|\s+[—–]\s+")
# In a longer text a figure is part of a story.
_LONGEST_SHAPED = 60
_LONGEST_LABEL = 30
_PLAIN_WORDS = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")

_GENRES = frozenset(
    """action adventure animation biography comedy crime documentary drama family fantasy history horror music musical mystery romance
    sci-fi thriller war western sport superhero fiction non-fiction nonfiction memoir poetry philosophy noir""".split()  # noqa: SIM905 (words read best as words)
) | {"science fiction", "historical fiction", "true crime", "young adult", "self-help"}
_STATUSES = frozenset(
    "active inactive pending completed archived open closed draft paid unpaid cancelled overdue confirmed".split()  # noqa: SIM905 (the same)
)
# Names of attributes: a text that is one of them names the text beside it.
LABELS = frozenset(
    """name title year rating price genre category categories genres director author publisher language pages isbn duration runtime brand
    color colour size material weight quantity stock availability status email phone address location city country region cuisine
    date time start end due deadline host guests beds bedrooms baths bathrooms amenities type kind role company client assignee
    priority reviews votes score speciality specialty experience fee salary budget skills level format cast writer producer studio
    description subject sender from to seller sku model capacity distance total subtotal released release published created updated
    checkin checkout rooms hours opening bio website username owner members views likes""".split()  # noqa: SIM905 (the same)
)
_SAME = {
    "genres": "genre", "categories": "category", "directed by": "director", "written by": "author", "authors": "author",
    "release year": "year", "runtime": "duration", "e-mail": "email", "directors": "director",
}  # fmt: skip


def is_label(text: str) -> bool:
    """Whether a text names an attribute: "Director", "Release year", "Price:"."""
    return len(text) <= _LONGEST_LABEL and _is_label(text)


# A list is asked for its texts and for their neighbours, several times each.
@lru_cache(maxsize=4096)
def _is_label(text: str) -> bool:
    bare = text.rstrip(" :：").lower()
    return bool(bare) and (bare in LABELS or bare in _SAME or (text.rstrip().endswith((":", "：")) and len(bare.split()) <= 3))


def label_name(text: str) -> str:
    """The attribute's name that a label stands for, e.g. "release date" for "Release Date:"."""
    bare = " ".join(text.replace("_", " ").replace("-", " ").rstrip(" :：").lower().split())
    return _SAME.get(bare, bare)


@lru_cache(maxsize=8192)
def said(text: str) -> tuple[tuple[str, str], ...]:
    """The attributes in one text, as (name, value): "Crime • 1994 • 142 min" says genre, year and duration."""
    parts = [part for part in _PARTS.split(text) if part]
    found = [(part, list(_part(part))) for part in parts]
    genres = [part for part, pairs in found if ("genre", part) in pairs]
    if genres:
        others = [part for part, pairs in found if not pairs and _PLAIN_WORDS.fullmatch(part) and not _is_name(part)]
        genres = [part for part in parts if part in genres or part in others]
    pairs = [pair for _, some in found for pair in some if pair[0] != "genre"]
    return (*pairs, *(("genre", part) for part in genres))


def _is_name(text: str) -> bool:
    """Whether it looks like a person's name rather than a kind of thing: two words or more, all with a capital."""
    return len(text.split()) > 1 and all(word[0].isupper() for word in text.split())


def _part(text: str) -> Iterator[tuple[str, str]]:
    labelled = _LABELLED.fullmatch(text)
    if labelled and labelled[2] and len(labelled[1].split()) <= 3 and not labelled[2].startswith("//"):
        yield label_name(labelled[1]), labelled[2]
    if len(text) > _LONGEST_SHAPED:
        return
    if any(sign in text for sign in "0123456789★⭐"):
        yield from _figures(text)
    yield from _wordings(text)


def _figures(text: str) -> Iterator[tuple[str, str]]:
    for name, pattern in (("price", _PRICE), ("duration", _DURATION), ("date", _DATE)):
        if found := pattern.search(text):
            yield name, found[0]
    yield from _scores(text)
    if year := _YEAR.fullmatch(text):
        yield "year", year[1]
    if pages := _PAGES.fullmatch(text):
        yield "pages", pages[1]
    if _PHONE.fullmatch(text) and not _DATE.search(text) and sum(map(str.isdigit, text)) > _LEAST_PHONE:
        yield "phone", text


def _scores(text: str) -> Iterator[tuple[str, str]]:
    if found := _RATING.search(text):
        yield "rating", found[1] or found[2] or found[3]
    elif stars := _STARS.match(text):
        yield "rating", str(len(stars[0]))
    elif BARE_RATING.fullmatch(text):
        yield "rating", text
    if found := _REVIEWS.search(text):
        yield "reviews", found[1]


def _wordings(text: str) -> Iterator[tuple[str, str]]:
    if (person := _PERSON.fullmatch(text)) and person[2][0].isupper() and not is_label(person[2]):
        yield _PERSONS.get((person[1] or "").lower(), "author"), person[2]
    if found := _STOCK.search(text):
        yield "stock", found[0]
    if found := _EMAIL.search(text):
        yield "email", found[0]
    folded = text.lower()
    if folded in _STATUSES:
        yield "status", text
    if all(part.strip() in _GENRES for part in folded.replace(" & ", ",").replace("/", ",").split(",")):
        yield "genre", text


def of_data(name: str, value: str) -> Iterator[tuple[str, str]]:
    """The attribute in a `data-…` or `itemprop` attribute, where its name is one that items have."""
    last = words(name.removeprefix("data-"))[-1:]
    if last and last[0] in LABELS and 0 < len(value) <= 80:
        yield label_name(last[0]), value
