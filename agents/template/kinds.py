"""The kinds of task that prompts ask for, told by their words."""

from __future__ import annotations

import re
from enum import StrEnum

from agents.phrases import phrase


class Kind(StrEnum):
    LOGIN = "login"
    LOGOUT = "logout"
    REGISTER = "register"
    SEARCH = "search"
    FILTER = "filter"
    SORT = "sort"
    OPEN_ITEM = "open an item"
    NAVIGATE = "navigate"
    PREVIEW = "preview"
    TRAILER = "trailer"
    CONTACT = "contact"
    COMMENT = "comment or review"
    ADD_ITEM = "add an item"
    EDIT_ITEM = "edit an item"
    DELETE_ITEM = "delete an item"
    EDIT_PROFILE = "edit the profile"
    CART = "cart"
    WISHLIST = "wishlist"
    READING_LIST = "reading list"
    SHARE = "share"
    CHECKOUT = "checkout"
    BOOKING = "booking"
    MESSAGE = "message"
    CALENDAR = "calendar"
    TODO = "to-do"
    SETTINGS = "settings"
    REACT = "like or follow"
    MARK = "mark"
    UNFOLD = "expand or collapse"
    SCROLL = "scroll"
    PAGE = "turn pages"
    BACK = "back to the list"
    CHOOSE = "choose a value"
    CANCEL = "cancel what was begun"
    OWN_WORDS = "change a comment or review"
    OTHER = "other"

    @property
    def sentence(self) -> str:
        """What such a task asks for, in an operator's words."""
        return _SENTENCES[self]


_SENTENCES = {
    Kind.LOGIN: phrase("Log in"),
    Kind.LOGOUT: phrase("Log out"),
    Kind.REGISTER: phrase("Register an account"),
    Kind.SEARCH: phrase("Search"),
    Kind.FILTER: phrase("Filter a list"),
    Kind.SORT: phrase("Sort a list"),
    Kind.OPEN_ITEM: phrase("Open an item"),
    Kind.NAVIGATE: phrase("Go to a page"),
    Kind.PREVIEW: phrase("Open a preview"),
    Kind.TRAILER: phrase("Watch a trailer"),
    Kind.CONTACT: phrase("Fill in the contact form"),
    Kind.COMMENT: phrase("Comment or review"),
    Kind.ADD_ITEM: phrase("Add an item"),
    Kind.EDIT_ITEM: phrase("Edit an item"),
    Kind.DELETE_ITEM: phrase("Delete an item"),
    Kind.EDIT_PROFILE: phrase("Edit the profile"),
    Kind.CART: phrase("Change the cart"),
    Kind.WISHLIST: phrase("Change the wishlist"),
    Kind.READING_LIST: phrase("Change the reading list"),
    Kind.SHARE: phrase("Share an item"),
    Kind.CHECKOUT: phrase("Check out"),
    Kind.BOOKING: phrase("Book or reserve"),
    Kind.MESSAGE: phrase("Write a message"),
    Kind.CALENDAR: phrase("Plan in the calendar"),
    Kind.TODO: phrase("Add a to-do"),
    Kind.SETTINGS: phrase("Change the settings"),
    Kind.REACT: phrase("Like or follow"),
    Kind.MARK: phrase("Mark an item"),
    Kind.UNFOLD: phrase("Expand or collapse"),
    Kind.SCROLL: phrase("Scroll"),
    Kind.PAGE: phrase("Turn the pages of a list"),
    Kind.BACK: phrase("Go back to a list"),
    Kind.CHOOSE: phrase("Choose a value"),
    Kind.CANCEL: phrase("Cancel what was begun"),
    Kind.OWN_WORDS: phrase("Change or delete a comment or review"),
    Kind.OTHER: phrase("Something else"),
}


_ADVERBS = r"permanently|completely|directly|quickly|simply|kindly|immediately|successfully|only|just"
ASKING = (
    r"^\W*(?:(?:please|i want to|i would like to|i'd like to|i need to|can you|could you|help me|let me|let's|proceed to|go ahead and|"
    rf"decide to|make sure to|user|now|also|finally|first|next|and|to|{_ADVERBS})\b[\s,:]*)*"
)
MOVING = r"(?:go|navigate|take|bring|get)(?: me)?(?: directly| straight)? to|navigate(?: me)?"
_SEARCH = re.compile(rf"{ASKING}(?:search(?:es)?|look(?:ing)? (?:up|for)|find|query|type)\b", re.I)
_OPEN = re.compile(rf"{ASKING}(?:open|views?|show|see|visit|display|{MOVING}|check out|access|switch to|retrieve)\b", re.I)
_FILTER = re.compile(
    rf"{ASKING}(?:filter|narrow|(?:show|display|list|view)(?: me)? only|limit (?:the )?(?:results|list))|\bfilter(?:ed)? ", re.I
)
_BROWSE = re.compile(rf"{ASKING}browse\b", re.I)
_CHECK_OUT = re.compile(rf"{ASKING}(?:check out\W*$|(?:open|views?|show|see|visit|{MOVING})\b.*\bcheck-?out\b(?! (?:dates?|times?)))", re.I)
_CONTACT_FORM = re.compile(rf"{ASKING}(?:{MOVING}|open|visit)\b.*\bcontact\b.*\b(?:submit|fill|send)\b", re.I)
# As in: show the agenda view.
_VIEW = re.compile(rf"{ASKING}(?:select|choose|use|views?|show|see|display|{MOVING}|open|switch to)\b.*\b[\w-]+ view(?: please)?\W*$", re.I)
_SORT = re.compile(rf"{ASKING}(?:re-?)?(?:sort|arrange|order\b.*\bby)\b|\bsorted by\b", re.I)
_TRAILER = re.compile(r"\btrailers?\b", re.I)
_PREVIEW = re.compile(rf"{ASKING}(?:preview|(?:open|views?|show|see|display|read)\b(?:(?!\bfrom\b).)*\bpreview)\b", re.I)
_BACK = re.compile(
    rf"{ASKING}(?:(?:go|take|bring|get|navigate)(?: me)? back|return)\b.*\b(?:all|list|dashboard|overview|results|catalog(?:ue)?)\b", re.I
)
# As in: the next page of …, … on the previous page, the next set of …
_PAGE_TURNED = re.compile(
    r"\b(?:next|following|upcoming|later|prev(?:ious)?|earlier|preceding) (?:page|set|batch)\b|\b(?:page|move|go) (?:forward|backward)s?\b",
    re.I,
)
# What begins like searching or opening and is something else.
_BEFORE_OPENING = (
    (Kind.BACK, _BACK),
    (Kind.FILTER, _FILTER),
    (Kind.SORT, _SORT),
    (Kind.TRAILER, _TRAILER),
    (Kind.PREVIEW, _PREVIEW),
    (Kind.CHECKOUT, _CHECK_OUT),
    (Kind.NAVIGATE, _VIEW),
    (Kind.CONTACT, _CONTACT_FORM),
)
# Where something is put or taken from, if that is said after its criteria: … whose price is below 20 from my cart.
_PLACED = re.compile(
    r"\b(?:to|from|in|into|on|onto|off|out of) (?:the |my |your |our )?"
    r"(?P<place>(?:shopping )?(?:cart|basket|bag)|(?:wish|watch|reading)[ -]?list|favou?rites)\W*$",
    re.I,
)
# What follows these words are criteria, whose fields may be called like another kind of task.
_CRITERIA = re.compile(r"\b(?:where|whose|that|which|with|so that)\b", re.I)


def _begins(verbs: str, about: str = "") -> re.Pattern[str]:
    return re.compile(rf"{ASKING}(?:{verbs})\b" + (rf".*\b(?:{about})\b" if about else ""), re.I)


_PUT = (
    r"add|put|place|save|move|remove|take|drop|delete|clear|empty|increase|decrease|increment|decrement|reduce|raise|lower|change|update|set|"
    r"mark|toggle|include|bookmark"
)
_WRITE = r"add|write|post|leave|submit|send|give|make|publish"
_REWORD = r"(?:on [a-z ]{3,40}, )?(?:edit|update|change|modify|revise|rewrite|delete|remove|erase|take down|withdraw)"
_CHANGE = r"edit|update|change|modify|set|adjust|correct|rewrite|fill"
_PERSONAL = (
    r"profile|bio|account (?:details|information|data)|avatar|about me|(?:my|your|user(?:'s)?) (?:[a-z-]+ )?(?:name|bio|location|e-?mail|"
    r"phone|headline|website|password|address|country)"
)
_ORDERED = (
    r"\bcheck-?out\b(?! (?:dates?|times?)\b)|\b(?:complete|finish|finali[sz]e|place|submit|confirm|review)\b.*\b(?:purchase|order)\b|"
    r"\bbuy now\b"
)
_BOUGHT = r"purchase|buy"
_BOOK = (
    r"book(?! review)|reserve|rent|request (?:(?:an?|the) )?(?:quick |new |urgent )?(?:ride|trip|cab|appointment|consultation)|"
    r"(?:quick )?hire(?! later)|order a (?:ride|cab)"
)
_BOOKED = r"bookings?|reservations?|appointments?|rides?|trips?|stays?"
_PLAN = r"add|create|schedule|make|plan|set up|invite|enter|put"
_PLANNED = r"events?|calendars?|meetings?|(?:day|week|month|agenda) view"
_PREFERENCES = r"settings|preferences?|options?|themes?|dark mode|light mode|language|notifications?|time ?zone|signature"

# In this order the first that fits counts: what names its place ("the cart") before what only says what to do ("add").
_FINER: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.UNFOLD,
        _begins(r"expand|collapse|unfold|toggle", r"sections?|details?|panels?|menus?|questions?|faqs?|descriptions?"),
    ),
    (Kind.SCROLL, _begins("scroll|swipe|slide")),
    (Kind.CHECKOUT, re.compile(_ORDERED, re.I)),
    (Kind.CHECKOUT, _begins(_BOUGHT)),
    (Kind.CART, _begins(_PUT, "cart|basket|shopping bag|quantity")),
    (Kind.READING_LIST, _begins(_PUT, "reading[ -]?list")),
    (Kind.WISHLIST, _begins(_PUT, "(?:wish|watch)[ -]?list|favou?rites?(?! [a-z]+ to\\b)|saved (?:items|list)|for later|collections?")),
    (Kind.SHARE, _begins(r"share|recommend")),
    (Kind.SHARE, _begins("complete|finish|fill|submit|confirm|send|open", "share|sharing")),
    (Kind.CONTACT, re.compile(rf"\bcontact (?:form|us|page)\b|{ASKING}(?:contact|get in touch|reach out)\b", re.I)),
    (Kind.BOOKING, _begins(_BOOK)),
    (Kind.BOOKING, _begins(r"cancel|make|schedule|arrange|confirm|change|modify|edit|finali[sz]e|complete", _BOOKED)),
    (Kind.OWN_WORDS, _begins(_REWORD, "comments?|reviews?|feedback")),
    (Kind.COMMENT, _begins(_WRITE, "comments?|reviews?|feedback|ratings?")),
    (Kind.COMMENT, _begins(r"comment|review|rate|reply to (?:the |a )?(?:comment|review|post)")),
    (Kind.MESSAGE, _begins(r"send|compose|write|draft|forward|reply|answer", "messages?|e-?mails?|mails?|dms?|chats?|drafts?")),
    (Kind.MESSAGE, _begins(r"message|e-?mail|reply|forward|dm|chat")),
    (Kind.MESSAGE, _begins("save", "drafts?")),
    (Kind.EDIT_PROFILE, _begins(_CHANGE, _PERSONAL)),
    (Kind.SETTINGS, _begins(rf"{_CHANGE}|enable|disable|turn (?:on|off)|toggle|switch|choose|select|configure|customi[sz]e", _PREFERENCES)),
    (Kind.MARK, _begins(r"complete|finish|mark|tick off|check off|reopen", r"tasks?|to-?dos?|subtasks?")),
    (Kind.CANCEL, _begins(r"cancel|close|discard|leave", "creation|creating|adding|editing|changes|form|dialog|modal|window|wizard")),
    (Kind.OTHER, _begins("apply|use|enter|redeem", "codes?|coupons?|vouchers?")),
    (Kind.DELETE_ITEM, _begins(r"delete|remove|erase|discard|trash|cancel|drop|unregister|withdraw|take down|get rid of")),
    (Kind.EDIT_ITEM, _begins(r"edit|update|modify|change|rename|move|reassign|reschedule|replace|adjust")),
    (Kind.MARK, _begins(r"set|report|keep|move", r"as (?:un)?(?:read|important|spam|junk|starred|done)|(?:back )?to (?:spam|junk|unread)")),
    (Kind.MARK, _begins(r"archive|un?archive|star|unstar|mark|flag|pin|unpin|snooze|label|tag")),
    (Kind.TODO, _begins(r"add|create|make|write|enter|start", r"tasks?|to-?dos?|subtasks?")),
    (Kind.CALENDAR, _begins(_PLAN, _PLANNED)),
    (Kind.REACT, _begins(r"like|unlike|upvote|follow|unfollow|connect|endorse|hide|unhide|save|bookmark|react|subscribe|join|apply")),
    (Kind.CHOOSE, _begins(r"(?:set|select|choose|pick|specify)(?! up)")),
    (Kind.ADD_ITEM, _begins(r"add|create|insert|register|publish|post|upload|enter|record|log|make|submit|start(?! hiring)|set up")),
)
_THINGS = (
    r"details?|preview|movies?|films?|books?|products?|items?|articles?|restaurants?|hotels?|stays?|property|matters?|clients?|doctors?|"
    r"jobs?|experts?|consultants?|profiles?|posts?|emails?|events?|tasks?|subnets?|validators?|blocks?|accounts?|rides?|trips?"
)
_DETAIL = re.compile(rf"\b(?:{_THINGS})\b", re.I)
# A list of one's own is a page, whatever is said of what is in it; a part that opens over the page is none, nor an item.
_OWN_LIST = re.compile(r"\b(?:shopping )?(?:cart|basket|bag|(?:wish|watch|reading)[ -]?list)\b", re.I)
# As in: all restaurants, the full list of films.
_ALL_OF_THEM = re.compile(
    r"\b(?:all|every|(?:full|whole|entire|complete) list of)(?: of)?(?: the| my| our)? [a-z]+s\b|\bfull [a-z]+ list\b", re.I
)
_CONTROL = re.compile(r"\b(?:forms?|modal|wizard|dialog|pop-?up|drop-?down|selector|picker)\b", re.I)
_PLACE = re.compile(r"\b(?:page|tab|section|home|homepage|website|site)\b|/", re.I)
SUBJECT_NOISE = re.compile(
    rf"\b(?:please|i want to|search(?:es)?(?: for)?|look(?:ing)? (?:up|for)|find|query|open|views?|show|see|visit|display|{MOVING}|access|"
    r"switch to|(?:un|de)?select|(?:un)?check|choose|pick|hide|toggle|"
    r"me|the|an?|of|for|details?|information|info|page|preview|directly|called|named|titled|any|some|users?|tab|section|within|"
    r"movies?|films?|books?|products?|items?|restaurants?|calendars?|in the|database|catalog(?:ue)?|site|website|on|about|to|with)\b",
    re.I,
)


def kind_of(text: str, values: tuple[str, ...], *, criteria: bool) -> Kind:
    """The kind of a task by its words, in which each quoted value is one mark; OTHER when they say none.

    `values` are the quoted ones, `criteria` is whether the words hold any.
    """
    head = _CRITERIA.split(text, maxsplit=1)[0]
    for kind, pattern in _BEFORE_OPENING:
        if pattern.search(head):
            return kind
    if not criteria and _PAGE_TURNED.search(text):
        return Kind.PAGE
    if _SEARCH.search(text):
        return Kind.SEARCH
    if criteria and _BROWSE.search(text):
        return Kind.FILTER
    if _OPEN.search(text):
        return _opened(text, values, criteria=criteria)
    if placed := _PLACED.search(text):
        head = f"{head} {placed['place']}"
    return next((kind for part in (head, text) for kind, pattern in _FINER if pattern.search(part)), Kind.OTHER)


def _opened(text: str, values: tuple[str, ...], *, criteria: bool) -> Kind:
    if not criteria and any("://" in value for value in values):
        return Kind.NAVIGATE
    if not criteria and not values and (_OWN_LIST.search(text) or _ALL_OF_THEM.search(text)):
        return Kind.NAVIGATE
    if _CONTROL.search(_CRITERIA.split(text, maxsplit=1)[0]):
        return Kind.OTHER if criteria else Kind.NAVIGATE
    named = bool(values or criteria or _DETAIL.search(text))
    return Kind.OPEN_ITEM if named and not _goes_to_place(text, criteria=criteria) else Kind.NAVIGATE


def _goes_to_place(text: str, *, criteria: bool) -> bool:
    """Whether a page of the site is meant ("the jobs page", "the Jobs tab"), not one of its items."""
    if criteria or not _PLACE.search(text):
        return False
    if re.search(r"\btab\b", text, re.I):
        return True
    named = SUBJECT_NOISE.sub(" ", text)
    return not re.search(r"[A-Za-z\d\ue000-\uf7ff]{2}|[\ue000-\uf7ff]", named) or not _DETAIL.search(text)
