"""One item of a list: its name, and the attributes in its texts and markup, by a label or by their shape."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice, pairwise

from agents.page.matching import words
from agents.page.outline import HEADINGS, PRESSED, Outline, Spans

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
_BARE_RATING = re.compile(r"(?:10|\d)\.\d{1,2}")
_REVIEWS = re.compile(r"\(?(\d[\d,.]*k?)\s*\+?\)?\s*(?:reviews?|ratings?|votes?|comments?)\b", re.I)
_COUNTED = re.compile(r"\((\d[\d,.]*k?)\+?\)", re.I)
_DURATION = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,2})?\s?h(?:(?:ou)?rs?)?\b(?:\s?\d{1,2}\s?m(?:in(?:ute)?s?)?\b)?|\b\d{1,4}\s?min(?:ute)?s?\b|^\d{2,3}\s?m$",
    re.I,
)
_NUMBERED_DAY = r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}\.\d{1,2}\.\d{2,4}"
_DAY = rf"{_NUMBERED_DAY}|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|\d{{1,2}} {_MONTHS},? \d{{4}}"
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
_ANYWHERE = (("price", _PRICE), ("duration", _DURATION), ("date", _DATE))
_PARTS = re.compile(r"\s*[•·|]\s*|\s+[—–]\s+")
# Each text that these patterns or those for figures match has one of these signs: to search for them takes a tenth of the time.
_PARTED, _COUNTING, _SOUGHT = re.compile("[•·|—–]"), re.compile("[0-9★⭐]"), re.compile("left|stock|sold out|unavailable|@")
# In a longer text a figure is part of a sentence.
_LONGEST_SHAPED, _LONGEST_LABEL = 60, 30
_PLAIN_TEXT = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")

_GENRES = frozenset(
    """action adventure animation biography comedy crime documentary drama family fantasy history horror music musical mystery romance
    sci-fi thriller war western sport superhero fiction non-fiction nonfiction memoir poetry philosophy noir""".split()  # noqa: SIM905 (words read best as words)
) | {"science fiction", "historical fiction", "true crime", "young adult", "self-help"}
_STATUSES = frozenset(
    "active inactive pending completed archived open closed draft paid unpaid cancelled overdue confirmed".split()  # noqa: SIM905 (the same)
)
# Names of attributes: a text that is one of them names the text beside it.
_LABELS = frozenset(
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


# The texts of a list and their neighbours are checked several times each.
@lru_cache(maxsize=8192)
def is_label(text: str) -> bool:
    if len(text) > _LONGEST_LABEL:
        return False
    bare = text.rstrip(" :：").lower()
    return bool(bare) and (bare in _LABELS or bare in _SAME or (text.rstrip().endswith((":", "：")) and len(bare.split()) <= 3))


def label_name(text: str) -> str:
    bare = " ".join(text.replace("_", " ").replace("-", " ").rstrip(" :：").lower().split())
    return _SAME.get(bare, bare)


@lru_cache(maxsize=8192)
def attributes_in(text: str) -> tuple[tuple[str, str], ...]:
    """As (name, value): "Crime • 1994 • 142 min" has genre, year and duration."""
    parts = _PARTS.split(text) if _PARTED.search(text) else (text,)
    read = [(part, list(_of_part(part))) for part in parts if part]
    genres = [part for part, pairs in read if ("genre", part) in pairs]
    if genres:
        others = [part for part, pairs in read if not pairs and _PLAIN_TEXT.fullmatch(part) and not _is_name(part)]
        genres = [part for part, _ in read if part in genres or part in others]
    pairs = [pair for _, some in read for pair in some if pair[0] != "genre"]
    return (*pairs, *(("genre", part) for part in genres))


def _is_name(text: str) -> bool:
    """A person's rather than a kind of thing: two words or more, all with a capital."""
    return len(text.split()) > 1 and all(word[0].isupper() for word in text.split())


def _of_part(text: str) -> Iterator[tuple[str, str]]:
    labelled = _LABELLED.fullmatch(text) if ":" in text or "：" in text else None
    if labelled and labelled[2] and len(labelled[1].split()) <= 3 and not labelled[2].startswith("//"):
        yield label_name(labelled[1]), labelled[2]
    if len(text) > _LONGEST_SHAPED:
        return
    if _COUNTING.search(text):
        yield from ((name, match[0]) for name, pattern in _ANYWHERE if (match := pattern.search(text)))
        yield from _figures(text)
    folded, caseless = text.lower(), text.casefold()
    if "by" in caseless and (person := _PERSON.fullmatch(text)) and person[2][0].isupper() and not is_label(person[2]):
        yield _PERSONS.get((person[1] or "").lower(), "author"), person[2]
    sought = (("stock", _STOCK), ("email", _EMAIL)) if _SOUGHT.search(caseless) else ()
    yield from ((name, match[0]) for name, pattern in sought if (match := pattern.search(text)))
    if folded in _STATUSES:
        yield "status", text
    if all(part.strip() in _GENRES for part in folded.replace(" & ", ",").replace("/", ",").split(",")):
        yield "genre", text


def _figures(text: str) -> Iterator[tuple[str, str]]:
    if match := _RATING.search(text):
        yield "rating", match[match.lastindex or 0]
    elif stars := _STARS.match(text):
        yield "rating", str(len(stars[0]))
    elif _BARE_RATING.fullmatch(text):
        yield "rating", text
    counted = (("reviews", _REVIEWS.search(text)), ("year", _YEAR.fullmatch(text)), ("pages", _PAGES.fullmatch(text)))
    yield from ((name, match[1]) for name, match in counted if match)
    if _PHONE.fullmatch(text) and not _DATE.search(text) and sum(map(str.isdigit, text)) > _LEAST_PHONE:
        yield "phone", text


def _of_data(name: str, value: str) -> Iterator[tuple[str, str]]:
    parts = words(name.removeprefix("data-"))
    # "data-element-type" is about the markup.
    is_markup = len(parts) > 1 and parts[-1] == "type"
    if parts and parts[-1] in _LABELS and not is_markup and 0 < len(value) <= 80:
        yield label_name(parts[-1]), value


LONGEST_TEXT, LONGEST_NAME = 2_000, 160
_STRONG, _PICTURES = frozenset({"strong", "b", "dt", "summary"}), frozenset({"img"})
_PICTURED = re.compile(r"\s+(?:avatar|photo|picture|image|logo|thumbnail|poster|cover)$", re.I)
_NAMES = HEADINGS | _STRONG | _PICTURES
_NAMING = frozenset({"name", "title", "subject", "product", "item", "task", "film", "movie", "book"})
# A label's block holds it, its value, and maybe a pair or two more.
_MOST_PIECES, _FURTHEST = 6, 12
_TELLING = ("aria-label", "title", "datetime", "content")
# A button's text is no attribute of the item.
_QUIET = frozenset({"button", "label"})


def cells(outline: Outline, row: int) -> list[int]:
    return [child for child in outline.children(row) if outline.tags[child] in {"td", "th"}]


def _is_rating(text: str) -> bool:
    return len(text) <= _LONGEST_SHAPED and any(name == "rating" for name, _ in attributes_in(text))


def is_bare_rating(text: str) -> bool:
    return len(text) <= 4 and "." in text and _BARE_RATING.fullmatch(text) is not None


@dataclass
class Item:
    """`labels` are texts that name what stands beside them, `heads` the names of columns by number, `rated` the paths on which the
    list's ratings stand, `skipped` the parts that are about something else."""

    outline: Outline
    at: int
    labels: frozenset[str] = frozenset()
    heads: Mapping[int, str] = field(default_factory=dict)
    rated: frozenset[tuple[str, ...]] = frozenset()
    skipped: Spans = field(default_factory=list)

    def __post_init__(self) -> None:
        outline = self.outline
        self._besides = list(outline.besides(self.at, self.skipped))
        self._places = [*chain.from_iterable(texts for _, texts in self._besides)]
        self._texts = [*map(outline.pieces.__getitem__, self._places)]

    def text(self) -> str:
        return " ".join(self._texts)[:LONGEST_TEXT]

    def name(self) -> str:
        marked = self._marked_names() if self.heads or self.outline.held(self.at, _NAMES) else ()
        named = next(filter(None, marked), "") or next(self._own_names(), "") or self.text()
        return " ".join(named.split())[:LONGEST_NAME]

    def _marked_names(self) -> Iterator[str]:
        """By its markup."""
        outline = self.outline
        yield from (outline.text(place, LONGEST_NAME) for place in outline.inside(self.at, HEADINGS))
        naming = next((column for column, head in self.heads.items() if _NAMING & set(head.split())), None)
        if naming is not None and naming < len(row := cells(outline, self.at)):
            yield outline.text(row[naming], LONGEST_NAME)
        for place in outline.inside(self.at, _STRONG):
            text = outline.text(place, 80)
            if text and not is_label(text) and not attributes_in(text):
                yield outline.text(place, LONGEST_NAME)
        yield from (_PICTURED.sub("", outline.attributes[place].get("alt", "")) for place in outline.inside(self.at, _PICTURES))

    def _own_names(self) -> Iterator[str]:
        for text in self._texts:
            is_own = text not in self.labels and not is_label(text) and not attributes_in(text)
            if is_own and (any(map(str.isalpha, text)) or text.startswith("#")):
                yield text

    def attributes(self) -> dict[str, str]:
        """The labelled ones first: a shape never overrides a label. Several genres are one value, with commas."""
        attributes, shaped = dict[str, str](), list(self._shaped())
        columns, labelled = self._columns() if self.heads else (), self._labelled() if len(self._texts) > 1 else ()
        for name, value in (*columns, *labelled, *self._marked(), *shaped):
            if name and value:
                attributes.setdefault(name, value)
        genres = [value for name, value in shaped if name == "genre"]
        if attributes.get("genre") in genres:
            attributes["genre"] = ", ".join(dict.fromkeys(part.strip() for value in genres for part in value.split(",")))
        return attributes

    def _columns(self) -> Iterator[tuple[str, str]]:
        row = enumerate(cells(self.outline, self.at))
        return ((self.heads[column], self.outline.text(cell, LONGEST_NAME)) for column, cell in row if column in self.heads)

    def _labelled(self) -> Iterator[tuple[str, str]]:
        named = zip(self._places, self._texts, map(is_label, self._texts), strict=True)
        for (place, text, is_known), (after, value, is_name) in pairwise(named):
            if not is_name and (is_known or text in self.labels) and value not in self.labels:
                block = self._block_of(place, after, 3 if is_known else 2)
                if block is not None and (is_known or self.outline.lasts[block] - self.outline.firsts[block] == 2):
                    yield label_name(text), self._value(block, place, after)

    def _block_of(self, label: int, value: int, furthest: int) -> int | None:
        """The smallest block around a label and its value, where it holds little else and is not to be pressed or filled in."""
        outline = self.outline
        above, other = outline.owners[label], outline.owners[value]
        block = above
        while furthest and not block <= other < outline.ends[block]:
            block, furthest = outline.parents[block], furthest - 1
        if not furthest or block < self.at or outline.tags[above] == "label" or self._is_pressed(above):
            return None
        is_small = outline.lasts[block] - outline.firsts[block] <= _MOST_PIECES or outline.tags[block] == "dl"
        return block if is_small else None

    def _is_pressed(self, at: int) -> bool:
        """Whether it stands in a link or button inside of the item."""
        outline = self.outline
        return outline.is_within(at, PRESSED) and any(
            outline.tags[place] in PRESSED for place in islice(outline.up(at, self.at), _FURTHEST)
        )

    def _value(self, block: int, label: int, value: int) -> str:
        """What a label names: all texts after it in its block, where the block is its own; else the next text."""
        outline = self.outline
        rest = outline.pieces[value : outline.lasts[block]]
        is_own = label == outline.firsts[block] and len(rest) < _MOST_PIECES and not any(map(is_label, rest))
        return " ".join(rest)[:LONGEST_NAME] if is_own else outline.pieces[value]

    def _marked(self) -> Iterator[tuple[str, str]]:
        outline, marked = self.outline, self.outline.marked
        inside = [marked[bisect_left(marked, nodes.start) : bisect_left(marked, nodes.stop)] for nodes, _ in self._besides]
        for place in chain.from_iterable(inside):
            for key, value in outline.attributes[place].items():
                if key.startswith("data-"):
                    yield from _of_data(key, value)
                elif key == "itemprop":
                    yield from _of_data(value, outline.text(place, 80))
                elif key in _TELLING and outline.tags[place] not in PRESSED:
                    yield from attributes_in(value[:80])

    def _shaped(self) -> Iterator[tuple[str, str]]:
        outline, read = self.outline, zip(self._places, self._texts, map(attributes_in, self._texts), strict=True)
        telling = [entry for entry in read if entry[2] or entry[1][0] == "(" or (self.rated and len(entry[1]) <= 2)]
        # A title is no figure, whatever its form.
        headings = outline.inside(self.at, HEADINGS) if telling else ()
        titles = {place for head in headings for place in range(outline.firsts[head], outline.lasts[head])}
        for place, text, pairs in telling:
            owner = outline.owners[place]
            if place in titles or outline.tags[owner] in _QUIET:
                continue
            if text[0] == "(" and place and (counted := _COUNTED.fullmatch(text)) and _is_rating(outline.pieces[place - 1]):
                yield "reviews", counted[1]
                continue
            yield from pairs
            if self.rated and len(text) <= 2 and text.isdigit() and outline.path(self.at, owner) in self.rated:
                yield "rating", text
