"""Words that mean the same: on buttons, so that a recipe names a button once, and as names of fields."""

from collections import defaultdict
from functools import lru_cache

from agents.page.matching import forms, word_set, words

# The first word of a line represents all. After English, sites are most often in Spanish.
_SAME = (
    "delete remove erase purge discard eliminate destroy expunge obliterate trash eliminar borrar quitar take unsave",
    "add put place include insert append move anadir añadir agregar",
    "edit modify update change revise amend adjust alter refine tweak editar",
    "view see show open display check explore access inspect examine reveal expand unfold ver mostrar abrir browse",
    "detail info information more overview detalle detalles",
    "cart basket bag trolley carrito cesta",
    "list watchlist wishlist favorite favourite favorites favourites collection lista favoritos library shelf",
    "share send compartir enviar recommend",
    "search find query lookup discover locate buscar",
    "confirm yes proceed finalize approve accept agree confirmar ok sí continue",
    "next forward siguiente advance later older",
    "trailer tráiler",
    "play watch reproducir",
    "filter filtro filtrar narrow",
    "apply run aplicar",
    "sort order arrange rank organize ordenar",
    "save store keep guardar bookmark",
    "all every everything entire todo todas todos full complete",
    "preview sample excerpt peek",
    "profile account perfil cuenta",
    "cancel abort cancelar",
    "reserve book reservar booking reservation",
    "important priority",
    "increase raise increment plus grow",
    "decrease reduce decrement minus lessen",
    "spam junk",
)
_MEANT = {word: line.split()[0] for line in _SAME for word in line.split()}
_SMALL = word_set("to from of the a an my your this that it now item on for and or at")  # words without a meaning of their own


@lru_cache(maxsize=4096)
def meanings_of(text: str) -> frozenset[str]:
    """The words of a text, each replaced by the first of its synonyms; without small words, unless there are no others."""
    split = words(text)
    meanings = frozenset(_MEANT.get(word, word) for word in split if word not in _SMALL)
    return meanings or frozenset(split)


def alike(name: str, text: str) -> float:
    want, have = meanings_of(name), meanings_of(text)
    if not want or not have:
        return 0.0
    if want == have:
        return 1.0
    shared = len(want & have)
    return 0.7 * shared / len(want) + 0.2 * shared / len(have)


# Each line: names of one field, the plainest first. A name may be in several lines.
_LINES = """
name, full name, your name, display name, commenter name, commenter, reviewer name, reviewer, contact name, customer name, guest name
name, title, label, event label, event title, event name, task name, job title, headline, matter, matter name, client name
first name, given name, forename
last name, surname, family name
username, user name, user, login name, email
email, e-mail, email address, mail, mail address, recipient email, contact email, e-mail or username
phone, phone number, telephone, mobile, contact number, tel, cell
message, comment, content, body, text, review, your message, feedback, note, reply, share your thoughts, review text, question, description
review, comment, review body, review text, comment text, your review, content, feedback, experience, message
description, desc, details, synopsis, summary, overview, about, content, notes, body
note, notes, special requests, special request, comments, message, instructions, additional information
subject, topic, regarding, title, subject line
to, recipient, recipients, send to, to email, recipient email, email, email address
cc, carbon copy
bcc, blind carbon copy
guests, people, party size, number of guests, number of people, persons, party, guests count, seats, travelers, passengers, adults
adults, grown-ups
children, kids, minors
infants, babies, toddlers
pets, animals
attendees, guests, invitees, participants, members, people, invite
check in, checkin, check-in date, checkin date, arrival, start date, from date, date from, from, start
check out, checkout, check-out date, checkout date, departure, end date, to date, date to, to, until, end
start time, starts, start, begins, from
end time, ends, end, until, to
date, day, due date, deadline, due, when, appointment date, reservation date, pickup date, event date, choose date, scheduled date
time, hour, at, appointment time, reservation time, pickup time, time slot, slot, select time
rating, stars, score, rate, your rating, star rating
price, cost, amount, fee, total
budget, price, amount, rate, hourly rate
quantity, qty, amount, count, number
hours, duration, time spent, hours worked
location, city, address, place, venue, where, region, area
address, street, street address, address line 1, delivery address, shipping address, location
zip, zip code, zipcode, postal code, postcode
country, country code, nation, dial code, region
code, country code, dial code, country
card number, credit card number, credit card, card
expiry, expiration, expiration date, expiry date, exp date, valid until, mm/yy
cvv, cvc, security code, card code
cardholder, name on card, cardholder name
code, coupon, coupon code, promo code, discount code, voucher, promo
genre, genres, category, categories, type
category, type, kind, color, colour, calendar
duration, running time, runtime, length, timeline, minutes, duration min
year, release year, published, publication year, publication date, released
page count, pages, number of pages, page number, length
director, directed by
author, writer, written by, authors
cast, actors, starring, actor
website, url, homepage, site, web site, link
trailer url, trailer, trailer link
meeting link, video link, conference link, link, url, meeting url
bio, about me, about, biography, about you, introduce yourself, description
favorite genres, favourite genres, genres, favorite genre
status, state, stage, current status
priority, urgency, importance, level
matter, matter name, case, project, matter title
client, client name, customer, customer name, contact, contact name, account
calendar, calendar name, choose calendar
visibility, privacy, who can see
busy, availability, show as
reminder, reminders, notify, alert, notification
recurrence, repeat, repeats, frequency, does it repeat
all day, all-day event, all day event
occasion, special occasion, select occasion
pickup, pick up, pickup location, from, origin, enter location, where from
destination, dropoff, drop off, where to, going to, to, enter destination
mode, method, delivery method, order type
payment, payment method, pay with, payment type
size, portion, choose size
preferences, preference, dietary, options
role, position, job role, member role
speciality, specialty, specialization, department, area, doctor
doctor, doctor name, physician, provider
insurance, insurance provider, insurance company
patient name, full name, name, your name
patient email, email, email address
patient phone, phone, phone number
reason, reason for visit, visit, why, cause, notes
headline, title, tagline
company, organization, employer, firm
experience, years of experience
scope, project size, size
skills, skill, expertise, required skills
theme, appearance, color theme
language, locale
"""
# As first words they do not name the field: a "user name" is no user.
_VAGUE = frozenset({"new", "user", "item", "first", "last", "number", "full", "your", "my"})
_GROUPS: dict[str, list[list[str]]] = defaultdict(list)
for _line in _LINES.strip().splitlines():
    _group = [" ".join(words(name)) for name in _line.split(",")]
    for _name in _group:
        _GROUPS[_name].append(_group)


# Names that people have too, such as Jordan, are left out.
_COUNTRIES = """
ae united arab emirates, ar argentina, at austria, au australia, bd bangladesh, be belgium, bg bulgaria, bo bolivia, br brazil, ca canada,
ch switzerland, cl chile, cn china, co colombia, cr costa rica, cz czech republic, de germany, dk denmark, ec ecuador, ee estonia, eg egypt,
es spain, fi finland, fr france, gb united kingdom, gh ghana, gr greece, hr croatia, hu hungary, id indonesia, ie ireland, il israel,
in india, is iceland, it italy, jp japan, ke kenya, kr south korea, lk sri lanka, lt lithuania, lv latvia, ma morocco, mx mexico,
my malaysia, ng nigeria, nl netherlands, no norway, np nepal, nz new zealand, pa panama, pe peru, ph philippines, pk pakistan, pl poland,
pt portugal, qa qatar, ro romania, rs serbia, ru russia, sa saudi arabia, se sweden, sg singapore, si slovenia, sk slovakia, th thailand,
tn tunisia, tr turkey, tw taiwan, ua ukraine, us united states, uy uruguay, vn vietnam, za south africa"""
COUNTRY_CODES = {name: code for code, _, name in (pair.strip().partition(" ") for pair in _COUNTRIES.split(","))}


@lru_cache(maxsize=1024)
def names_of(field: str) -> tuple[tuple[str, float], ...]:
    """The names of a prompt's field in forms, each with its weight, at most 1 for its own name."""
    own = " ".join(words(field.removeprefix("signup ")))
    parts = own.split()
    shorter = [(" ".join(parts[start:]), 0.85 - 0.05 * (start - 1)) for start in range(1, len(parts))]
    # The name of a doctor is not the doctor's speciality.
    leading = [(parts[0], 0.7)] if len(parts) > 1 and parts[0] not in _VAGUE and parts[-1] != "name" else []
    weights = {own: 1.0}
    for name, weight in ((own, 1.0), *shorter, *leading):
        if len(name) > 1:
            weights.setdefault(name, weight)
            for rank, other in ((rank, other) for group in _GROUPS.get(name, ()) for rank, other in enumerate(group)):
                weights[other] = max(weights.get(other, 0.0), weight * 0.92 - 0.01 * rank)
    return tuple(sorted(weights.items(), key=lambda pair: -pair[1]))


@lru_cache(maxsize=1024)
def forms_of(field: str) -> frozenset[str]:
    return frozenset().union(*(forms(name) for name, _ in names_of(field)))


def field_names_in(text: str) -> frozenset[str]:
    """The words of a text that name fields in forms."""
    own = words(text)
    return frozenset((*own, *(f"{word[:-2]}y" for word in own if word.endswith("ie")))) & _GROUPS.keys()  # cities are "citie" there
