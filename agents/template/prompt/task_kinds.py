"""The kinds of task, one row each: the prompts that request it, the labels of its buttons and fields, and its traits.

Rows with `sent_by` are done by `FormTask`, rows with `buttons` by `PressOnItem`; code in `recipes/` is for what a row cannot express."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Flag, StrEnum, auto

from agents.page.matching import word_set

# Verbs of links and buttons that make something new, and that change something.
ADDING = word_set("add new create register insert initiate start post launch make open record log begin generate")
CHANGING = word_set("edit update modify change manage adjust revise amend alter rename")

_ADVERBS = r"permanently|completely|directly|quickly|simply|kindly|immediately|successfully|only|just"
LEAD_IN = (
    r"^\W*(?:(?:please|i want to|i would like to|i'd like to|i need to|can you|could you|help me|let me|let's|proceed to|go ahead and|"
    rf"decide to|make sure to|(?:triggered )?when|(?:the |a )?users?|now|also|finally|first|next|and|to|{_ADVERBS})\b[\s,:]*)*"
)
NAVIGATION = r"(?:nav(?:igation)?(?: ?bar| ?menu)?|menu|side ?bar|header|footer)"
# Items of sites, as a pattern.
ITEMS = (
    r"(?:films?|movies?|books?|novels?|products?|items?|articles?|restaurants?|dish(?:es)?|hotels?|stays?|property|places?|listings?|matters?|"
    r"clients?|documents?|files?|notes?|tasks?|projects?|teams?|events?|meetings?|calendars?|jobs?|posts?|emails?|mails?|experts?|consultants?|"
    r"compan(?:y|ies)|doctors?|persons?|users?|profiles?|accounts?|cars?|rides?|trips?|subnets?|validators?|blocks?|servers?|channels?|labels?)"
)
MOVING = r"(?:go|navigate|take|bring|get)(?: me)?(?: directly| straight)? to|navigate(?: me)?"


def begins(verbs: str, about: str = "") -> re.Pattern[str]:
    """Prompts that begin with one of the verbs, as in "add" or "the user adds", and contain one of the nouns later."""
    return re.compile(rf"{LEAD_IN}(?:{verbs})(?:e?[sd])?\b" + (rf".*\b(?:{about})\b" if about else ""), re.I)


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


class Trait(Flag):
    NONE = 0
    OF_ITEM = auto()  # it is about one item of the site, which the prompt identifies
    ITEM_OPTIONAL = auto()  # it may be about no item
    ON_CARDS = auto()  # it can be done in a list, on the item's card
    ACCOUNT = auto()  # it is about logging in or out, or registering
    IN_SECTION = auto()  # it begins in the part of the site of such things
    ON_LIST = auto()  # it begins on the list of such things
    CREATES = auto()  # a quoted value beside a noun is the name of the new item
    SHOWS = auto()  # it only shows something: nothing is destroyed, sent or bound
    SENDS = auto()  # it sends something, whatever the prompt's words
    CHANGES = auto()  # a quoted value beside a noun is the name of the item that is changed


@dataclass(frozen=True, slots=True)
class TaskKind:
    """Names of links, buttons and fields are listed with the most certain first. `sentence`: the task, for operators. `prompts`: prompts
    that request it; `first_prompts`: those that would otherwise be read as a search or as opening an item. `buttons`: its button on an
    item. `form_fields`: first or last words of fields that are not the item's. A kind with `sent_by`, its form's button, is done by a form.
    `opened_by`: links, tabs and buttons that lead to it; `routes`: parts of their addresses; `known_by`: fields of such a form; `fills`:
    fields that are filled even if the prompt does not name them; `verbs`: verbs on its buttons, beside the prompt's own noun ("Add film");
    `purpose`: one of PURPOSES, "" for any form."""

    name: str
    sentence: str
    traits: Trait = Trait.NONE
    prompts: tuple[re.Pattern[str], ...] = ()
    first_prompts: re.Pattern[str] | None = None
    buttons: tuple[str, ...] = ()
    opened_by: tuple[str, ...] = ()
    sent_by: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    form_fields: str = ""
    purpose: str = ""


# By purpose of a form: words that may be in such a form, and those that are in no form for another purpose.
PURPOSES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(f"{surely} {maybe}".split()), frozenset(surely.split()))
    for name, surely, maybe in (
        ("message", "message chat inquiry enquiry contact question", "ask touch reach talk mail email reply forward compose host support"),
        ("review", "review rate rating experience stay testimonial", "star comment feedback thought opinion"),
        ("post", "mind status happening", "post share publish"),
        ("booking", "booking reservation appointment reserve", "book stay trip guest visit schedule request contact detail"),
    )
}


def is_for_other(purpose: str, *levels: Iterable[str]) -> bool:
    """Whether a form is for another purpose, by `levels` of words: those of its button, then of its heading and fields."""
    if not purpose:
        return False
    own = PURPOSES[purpose][0]
    others = frozenset().union(*(surely for name, (_, surely) in PURPOSES.items() if name != purpose))
    telling = next((level for level in map(frozenset, levels) if level & (own | others)), own)
    return telling.isdisjoint(own)


_OF_ITEM, _ITEM_OPTIONAL, _ON_CARDS, _ACCOUNT = Trait.OF_ITEM, Trait.ITEM_OPTIONAL, Trait.ON_CARDS, Trait.ACCOUNT
_IN_SECTION, _ON_LIST, _CREATES, _CHANGES = Trait.IN_SECTION, Trait.ON_LIST, Trait.CREATES, Trait.CHANGES
_SHOWS, _SENDS = Trait.SHOWS, Trait.SENDS

_PUT = (
    r"add|put|place|save|move|remove|take|drop|delete|clear|empty|increase|decrease|increment|decrement|reduce|raise|lower|change|update|set|"
    r"mark|toggle|include|bookmark"
)
_REWORD = r"(?:on [a-z ]{3,40}, )?(?:edit|update|change|modify|revise|rewrite|delete|remove|erase|take down|withdraw)"
_CHANGE = r"edit|update|change|modify|set|adjust|correct|rewrite|fill"
_PERSONAL = (
    r"profile|bio|(?:work )?experience|"
    r"account (?:details|information|data)|avatar|about me|(?:my|your|user(?:'s)?) (?:[a-z-]+ )?(?:name|bio|location|e-?mail|"
    r"phone|headline|website|password|address|country)"
)
_ORDERED = (
    r"\bcheck-?out\b(?! (?:dates?|times?)\b)|\b(?:complete|finish|finali[sz]e|place|submit|confirm|review)\b.*\b(?:purchase|order)\b|"
    r"\bbuy now\b"
)
_BOOK = (
    r"book(?! review)|reserve|rent|request (?:(?:an?|the) )?(?:quick |new |urgent )?(?:ride|trip|cab|appointment|consultation)|"
    r"(?:quick |start |begin |confirm )?hir(?:e|ing)(?! later)|order a (?:ride|cab)"
)
_MAKE = "make|start|initiate|schedule|arrange|confirm|change|modify|edit|finali[sz]e|complete"
_BOOKINGS = "bookings?|reservations?|appointments?|rides?|trips?|stays?|hiring"
_PREFERENCES = r"settings|preferences?|options?|themes?|dark mode|light mode|language|notifications?|time ?zone|signature"

# Fields of a text, and fields of an order that are not the ordered item's.
_WRITTEN = "content comment message text body review commenter reviewer author feedback reply"
_ORDER = (
    "quantity count people guest adult child date time checkin checkout occasion phone email note request payment card address "
    "cvv expiry expiration zip zipcode "
    "mode code preference size recipient username password reason patient visit notes insurance emergency increase"
)

ORDERED = frozenset({"quantity", "item"})  # fields of what is in a cart

_BEGIN = "getting started, start here, quick start, welcome, begin"
_ADD_TO_CART = "add to cart, add to basket, add to bag, add to trolley, add item to cart, put in cart, add to order, add item, buy, add"
_PLACE_ORDER = (
    "place order, place your order, complete purchase, complete order, confirm order, confirm purchase, confirm and pay, pay now, "
    "submit order, purchase, pay"
)
_ADD_TO_LIST = names(
    "add to watchlist, add to wishlist, add to reading list, add to list, save to list, save for later, favorite, save, want to read, "
    "read later, watch later, track, add, wishlist"
)


class Kind(StrEnum):
    """The first row that matches is used, so prompts with a place ("the cart") come before those with only a verb ("add")."""

    row: TaskKind

    def __new__(cls, row: TaskKind) -> "Kind":
        kind = str.__new__(cls, row.name)
        kind._value_, kind.row = row.name, row
        return kind

    # A table: each row in few lines.
    # fmt: off
    # Recognised in `questions`.
    QUESTION = TaskKind("question", "Answer a question", _OF_ITEM | _ITEM_OPTIONAL | _SHOWS)
    LOGIN = TaskKind("login", "Log in", _ACCOUNT | _SENDS)
    LOGOUT = TaskKind("logout", "Log out", _ACCOUNT)
    REGISTER = TaskKind("register", "Register an account", _ACCOUNT | _SENDS)
    SEARCH = TaskKind("search", "Search", _ON_LIST | _SHOWS)
    OPEN_ITEM = TaskKind("open an item", "Open an item", _OF_ITEM | _IN_SECTION | _SHOWS)
    PAGE = TaskKind("turn pages", "Turn the pages of a list", _SHOWS)
    BACK = TaskKind("back to the list", "Go back to a list", _OF_ITEM | _SHOWS,
        first_prompts=begins(r"(?:go|take|bring|get|navigate)(?: me)? back|return", "all|list|dashboard|overview|results|catalog(?:ue)?"))
    FILTER = TaskKind("filter", "Filter a list", _ON_LIST | _SHOWS,
        first_prompts=re.compile(rf"{LEAD_IN}(?:filter|narrow|apply (?:the |an? )?filters?|(?:show|display|list|view)(?: me)? only|"
        r"limit (?:the )?(?:results|list))|\bfilter(?:s|ed)? ", re.I))
    SORT = TaskKind("sort", "Sort a list", _ON_LIST | _SHOWS,
        first_prompts=re.compile(rf"{LEAD_IN}(?:re-?)?(?:sort|arrange|order\b.*\bby)\b|\bsorted by\b", re.I))
    TRAILER = TaskKind("trailer", "Watch a trailer", _OF_ITEM | _ON_CARDS | _SHOWS, first_prompts=re.compile(r"\btrailers?\b", re.I),
        buttons=names("watch trailer, play trailer, view trailer, see trailer, trailer, watch now, play, watch"))
    PREVIEW = TaskKind("preview", "Open a preview", _OF_ITEM | _ON_CARDS | _SHOWS,
        first_prompts=begins(r"preview|(?:open|views?|show|see|display|read)\b(?:(?!\bfrom\b).)*\bpreview"), buttons=names(
        "open preview, preview, read preview, preview book, look inside, read sample, sample, read excerpt, excerpt, read now, "
        "quick view, peek inside, start reading, read"))
    UNFOLD = TaskKind("expand or collapse", "Expand or collapse", _OF_ITEM | _ITEM_OPTIONAL | _ON_CARDS | _SHOWS,
        first_prompts=begins("open|view|show|read|click", "faqs?(?: (?:item|question|entry))?(?=\\W*$| (?:about|on|for)\\b)"),
        prompts=(begins("expand|collapse|unfold|toggle", "sections?|details?|panels?|menus?|questions?|faqs?|descriptions?"),),
        form_fields="question faq section panel")
    SCROLL = TaskKind("scroll", "Scroll", _SHOWS, prompts=(begins("scroll|swipe|slide"),))
    CHECKOUT = TaskKind("checkout", "Check out", _OF_ITEM | _ITEM_OPTIONAL, first_prompts=re.compile(
        rf"{LEAD_IN}(?:check out\W*$|(?:open|views?|show|see|visit|{MOVING})\b.*\bcheck-?out\b(?! (?:dates?|times?)))", re.I),
        prompts=(re.compile(_ORDERED, re.I), begins("purchase|buy")),
        opened_by=names(f"{_PLACE_ORDER}, proceed to checkout, checkout, buy now, {_ADD_TO_CART}, view cart, cart, basket, continue, next"),
        sent_by=names(f"{_PLACE_ORDER}, finalize order, checkout"),
        known_by=names("card number, address"), routes=names("checkout, cart"), form_fields=_ORDER)
    # As in: show the agenda view.
    NAVIGATE = TaskKind("navigate", "Go to a page", _SHOWS, first_prompts=re.compile(
        rf"{LEAD_IN}(?:select|choose|use|views?|show|see|display|{MOVING}|open|switch|change|expand)\b.*\b[\w-]+ view(?: please)?\W*$"
        rf"|{LEAD_IN}(?:clicks?|press(?:es)?|taps?|selects?|chooses?|{MOVING})\b.*\b(?:from|in|on) the (?:[a-z]+ )?{NAVIGATION}\b", re.I))
    CELL = TaskKind("press a cell", "Press a cell of a calendar", _SHOWS, first_prompts=begins("clicks?|press|tap|select|choose", "cells?"))
    CART = TaskKind("cart", "Change the cart", _OF_ITEM | _ON_CARDS, prompts=(begins(_PUT, "cart|basket|shopping bag|quantity"),
        begins("edit|modify", "(?:cart|basket) items?|items? (?:in|of) (?:the |my )?(?:cart|basket)")),
        buttons=names(_ADD_TO_CART), form_fields="quantity count size preference extra option note")
    READING_LIST = TaskKind("reading list", "Change the reading list", _OF_ITEM | _ON_CARDS, prompts=(begins(_PUT, "reading[ -]?list"),),
        buttons=_ADD_TO_LIST)
    WISHLIST = TaskKind("wishlist", "Change the wishlist", _OF_ITEM | _ON_CARDS, prompts=(begins(f"{_PUT}|select|choose|pick",
        r"(?:wish|watch)[ -]?list|favou?rites?(?! [a-z]+ to\b)|saved [a-z]+|(?:for|hire) later|collections?"),), buttons=_ADD_TO_LIST)
    SHARE = TaskKind("share", "Share an item", _OF_ITEM | _ON_CARDS | _SENDS, prompts=(begins("share|recommend"),
        begins("complete|finish|fill|submit|confirm|send|open", "share|sharing")),
        sent_by=names("send, share, send invite, share now, copy link, confirm, submit"), known_by=names("email, recipient"),
        fills=names("email, name"),
        buttons=names("share, share link, share this, recommend, send to a friend, copy link, spread the word, tell a friend"),
        form_fields="recipient email message platform note")
    PERSON = TaskKind("contact a person", "Contact a person listed on the site", _OF_ITEM | _SENDS, first_prompts=begins(
        "(?:open (?:the |an? )?)?contact|message|get in touch with|reach out to|(?:send|write) (?:(?:an? |the )?message )?to",
        "experts?|doctors?|hosts?|sellers?|owners?|consultants?|agents?|freelancers?|landlords?"),
        opened_by=names("contact, contact doctor, contact expert, contact host, message, send message, message host, chat, write"),
        sent_by=names("send message, send, submit, submit message"), known_by=names("message, subject"),
        fills=names("name, email, phone, subject, message"),
        form_fields="message content comment text subject phone email patient preferred urgency", purpose="message")
    CONTACT = TaskKind("contact", "Fill in the contact form", _SENDS,
        first_prompts=begins(rf"(?:{MOVING}|open|visit)\b.*\bcontact\b.*\b(?:submit|fill|send)"),
        prompts=(re.compile(rf"\bcontact (?:form|us|page)\b|{LEAD_IN}(?:contact|get in touch|reach out)\b", re.I),),
        opened_by=names("contact us, contact, get in touch, support, reach us, help"),
        sent_by=names("send message, send, submit, contact us, get in touch, send inquiry"), known_by=names("message, email"),
        fills=names("name, email, subject, message"), routes=names("contact, support"), purpose="message")
    BOOKING = TaskKind("booking", "Book or reserve", _OF_ITEM | _ITEM_OPTIONAL | _SENDS, prompts=(begins(_BOOK), begins(_MAKE, _BOOKINGS)),
        opened_by=names("book now, reserve, book, book appointment, make a reservation, book a table, request booking, schedule, "
            "hire, start hiring, start"),
        sent_by=names("confirm booking, complete reservation, confirm reservation, book appointment, confirm, reserve, book now, book, "
            "request, hire now"),
        known_by=names("guests, date, time"), routes=names("book, reserve, appointment"), form_fields=_ORDER, purpose="booking")
    OWN_COMMENT = TaskKind("change a comment or review", "Change or delete a comment or review", _OF_ITEM | _ON_CARDS | _SENDS,
        prompts=(begins(_REWORD, "comments?|reviews?|feedback"),), form_fields=_WRITTEN)
    COMMENT = TaskKind("comment or review", "Comment or review", _OF_ITEM | _SENDS,
        prompts=(begins("add|write|post|leave|submit|send|give|make|publish", "comments?|reviews?|feedback|ratings?"),
        begins("comment|review|rate|reply to (?:the |a )?(?:comment|review|post)")),
        opened_by=names("write a review, add a review, leave a review, add a comment, write a comment, add review, reviews, comments"),
        sent_by=names("post comment, submit review, add comment, share feedback, post review, submit, post, publish, comment, send, share"),
        known_by=names("comment, review, message, reply"),
        fills=names("name, comment, message, rating"), form_fields=_WRITTEN, purpose="review")
    REPLY = TaskKind("reply", "Reply to a message", _OF_ITEM | _ITEM_OPTIONAL | _SENDS, prompts=(begins("reply|respond|answer"),),
        opened_by=names("reply, reply to this email, respond, answer"),
        sent_by=names("send, send reply, send message, send email, reply, submit"), known_by=names("message, body"), fills=names("message"),
        form_fields="message content comment text reply cc", purpose="message")
    FORWARD = TaskKind("forward", "Forward a message", _OF_ITEM | _ITEM_OPTIONAL | _SENDS, prompts=(begins("forward"),),
        opened_by=names("forward, forward this email, share"), sent_by=names("send, forward, send message, send email, submit"),
        known_by=names("message, body, to"), fills=names("to"), form_fields="message to recipient cc note", purpose="message")
    DRAFT = TaskKind("draft", "Save a draft", _OF_ITEM | _ITEM_OPTIONAL, prompts=(begins("save|keep|store", "drafts?"),),
        opened_by=names("compose, new message, new email, write email, start writing, write, new mail"),
        sent_by=names("save draft, save as draft, keep draft, store draft, save to drafts, draft"), known_by=names("message, body, to"),
        fills=names("to, subject, message"), routes=names("compose"),
        form_fields="to recipient cc bcc subject body message content text email")
    MESSAGE = TaskKind("message", "Write a message", _SENDS, prompts=(begins("send|compose|write|draft",
        "messages?|e-?mails?|mails?|dms?|chats?|drafts?"), begins("message|e-?mail|dm|chat")),
        opened_by=names("compose, new message, new email, write email, start writing, message, send message, chat, write, new mail"),
        sent_by=names("send, send message, send email, send reply, submit, reply"), known_by=names("message, body, to"),
        fills=names("to, subject, message"), routes=names("compose, messages, chat"),
        form_fields="comment message review commenter reviewer author feedback reply", purpose="message")
    EDIT_PROFILE = TaskKind("edit the profile", "Edit the profile", prompts=(begins(_CHANGE, _PERSONAL),),
        opened_by=names("edit profile, profile, my profile, account settings, my account, account, settings"),
        sent_by=names("save profile, save changes, update profile, save, update"), routes=names("profile, account, settings"))
    SETTINGS = TaskKind("settings", "Change the settings",
        prompts=(begins(rf"{_CHANGE}|enable|disable|turn (?:on|off)|toggle|switch|choose|select|configure|customi[sz]e", _PREFERENCES),),
        opened_by=names("settings, preferences, options, account settings"),
        sent_by=names("save settings, save changes, save, apply, update"), routes=names("settings, preferences"))
    MARK = TaskKind("mark", "Mark an item", _OF_ITEM | _ITEM_OPTIONAL | _ON_CARDS | _IN_SECTION | _CHANGES,
        prompts=(begins("complete|finish|mark|tick off|check off|reopen", "tasks?|to-?dos?|subtasks?"), begins("set|report|keep",
        "as (?:un)?(?:read|important|spam|junk|starred|done)|(?:back )?to (?:spam|junk|unread)"), begins("add|apply|attach|assign|put",
        "(?:label|tag)s?(?: [\ue000-\uf7ff])? (?:to|on)"),
        begins("archive|un?archive|star|unstar|mark|flag|pin|unpin|snooze|label|tag|categori[sz]e"),
        begins("clear|deselect|unselect|undo|reset", "selections?|selected"),), form_fields="label tag")
    CANCEL = TaskKind("cancel what was begun", "Cancel what was begun", _OF_ITEM | _ITEM_OPTIONAL,
        prompts=(begins("cancel|close|discard|leave",
        r"creat\w+|adding|editing|changes|form|dialog|modal|window|wizard|templates?|drafts?"),),
        opened_by=names(f"add new, new, create, add, post, {_BEGIN}"),
        sent_by=names("cancel, discard, dismiss, nevermind, never mind, close, back, abort"), verbs=ADDING,
        form_fields="to recipient cc bcc body message content text email")
    OTHER = TaskKind("other", "Something else", prompts=(begins("apply|use|enter|redeem", "codes?|coupons?|vouchers?"),))
    DELETE_ITEM = TaskKind("delete an item", "Delete an item", _OF_ITEM | _ITEM_OPTIONAL | _ON_CARDS | _IN_SECTION | _CHANGES,
        prompts=(begins("delete|remove|erase|discard|trash|cancel|drop|unregister|withdraw|take down|get rid of"),), buttons=names(
        "delete, remove, delete item, delete movie, delete film, delete book, delete entry, erase, discard, trash, move to trash, "
        "cancel, destroy, unregister"), form_fields="review reviewer comment commenter")
    EDIT_ITEM = TaskKind("edit an item", "Edit an item", _OF_ITEM | _ITEM_OPTIONAL | _ON_CARDS | _IN_SECTION | _CHANGES,
        prompts=(begins("edit|update|modify|change|rename|move|reassign|reschedule|replace|adjust"),),
        opened_by=names("edit, modify, change details"), sent_by=names("save changes, save, update, rename, apply, confirm"),
        verbs=CHANGING, form_fields=f"new {_WRITTEN}")
    TODO = TaskKind("to-do", "Add a to-do", _CREATES, prompts=(begins("add|create|make|write|enter|start", "tasks?|to-?dos?|subtasks?"),),
        opened_by=names(f"add task, new task, create task, add to-do, add, {_BEGIN}"),
        sent_by=names("add task, save task, create task, save, add, create"), fills=names("task name"), verbs=ADDING)
    CALENDAR = TaskKind("calendar", "Plan in the calendar", _CREATES,
        prompts=(begins("add|create|schedule|make|plan|set up|invite|enter|put", "events?|calendars?|meetings?|(?:day|week|month) view"),),
        opened_by=names("create event, new event, add event, create, add, calendar"),
        sent_by=names("save event, save, create event, add event, create, add"), fills=names("title"), routes=names("calendar"),
        verbs=ADDING)
    REACT = TaskKind("like or follow", "Like or follow", _OF_ITEM | _ITEM_OPTIONAL | _ON_CARDS, prompts=(
        begins("hire later|(?:un)?like|upvote|(?:un)?follow|connect|endorse|(?:un)?hide|save|bookmark|react|subscribe|join|apply"),))
    CHOOSE = TaskKind("choose a value", "Choose a value", _OF_ITEM | _ITEM_OPTIONAL, first_prompts=begins("select|choose|pick",
        "methods?|options?"), prompts=(begins("(?:set|select|choose|pick|specify|schedule)(?! up)"),
        begins("(?:de|un)select", "where|whose")),
        opened_by=names(f"add new, new, create, post, add, book, {_BEGIN}"),
        sent_by=names("save, add, submit, create, confirm, book, find, search"), verbs=ADDING,
        form_fields=f"{_ORDER} from to method theme code")
    ADD_ITEM = TaskKind("add an item", "Add an item", _CREATES,
        prompts=(begins("add|create|insert|register|publish|post|upload|enter|record|log|make|submit|start(?! hiring)|set up"),),
        opened_by=names("add new, new, create new, create, add, post, write an update, start a post, share an update, write"),
        sent_by=names("add, create, save, submit, publish, post"), fills=names("name, title"), verbs=ADDING)
    # fmt: on

    def has(self, trait: Trait) -> bool:
        return trait in self.row.traits
