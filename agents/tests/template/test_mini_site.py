"""The same small site in many designs: each is read the same."""

from agents.page import Page, read
from agents.page.elements import BUTTONS, TEXT_FIELDS
from agents.tests.mini_site import FILMS, PASSWORD, USER, Film, MiniSite
from agents.tests.rows import rows
from agents.tests.site_variants import LABELS

SEEDS = range(1, 17)
TITLES = {film.title for film in FILMS}


def page(seed: int, path: str, *, member: bool = False, query: dict[str, str] | None = None) -> Page:
    return read(
        MiniSite(seed, user=USER if member else "", greets=False).get(path, query or {}), f"http://localhost:8000{path}?seed={seed}"
    )


def tells(attributes: object, film: Film) -> None:
    assert isinstance(attributes, dict)
    assert attributes["year"] == film.year
    assert film.rating in attributes["rating"]
    assert (attributes["genre"], attributes["director"]) == (film.genre, film.director)
    assert attributes["price"].removeprefix("$") == film.price


@rows("seed", SEEDS)
def test_all_cards_are_read_with_their_attributes_and_buttons(seed: int) -> None:
    found = page(seed, "/").records
    assert {record.name for record in found} == TITLES
    for record in found:
        tells(dict(record.attributes), next(film for film in FILMS if film.title == record.name))
        assert {element.label for element in record.elements} <= {*LABELS["details"], *LABELS["cart"]}
        assert len(record.elements) == 2


@rows("seed", SEEDS)
def test_a_single_result_is_read(seed: int) -> None:
    (record,) = page(seed, "/search", query={"q": "kite"}).records
    assert record.name == "A Kite for Marta"
    tells(dict(record.attributes), FILMS[3])


@rows("seed", SEEDS)
def test_a_detail_page_is_about_its_film(seed: int) -> None:
    subject = page(seed, "/films/4").subject
    assert subject
    assert subject.name == FILMS[4].title
    tells(dict(subject.attributes), FILMS[4])
    assert {element.label for element in subject.elements if element.role == "button"} >= {
        next(word for word in LABELS[act] if word in subject.text) for act in ("watchlist", "cart")
    }


@rows("seed", SEEDS)
def test_lists_and_forms_are_about_no_single_film(seed: int) -> None:
    assert [page(seed, path, member=True).subject for path in ("/", "/search", "/account", "/contact")] == [None] * 4


@rows("seed", SEEDS)
def test_the_fields_of_a_form_are_found_without_the_hidden_trap(seed: int) -> None:
    form = page(seed, "/contact")
    found = [form.find(names, TEXT_FIELDS) for names in (("name",), ("email",), ("subject", "topic"), ("message",))]
    assert all(found)
    assert len({element.place for element in found if element}) == 4
    assert all(element and element.name != "website" for element in found)


@rows("seed", SEEDS)
def test_the_logged_in_user_and_the_search_box_are_recognised(seed: int) -> None:
    assert (page(seed, "/").logged_in, page(seed, "/", member=True).logged_in) == (False, True)
    box = page(seed, "/films/1").search_box
    assert box
    assert box.name == "q"


@rows("seed", SEEDS)
def test_own_films_have_their_own_buttons(seed: int) -> None:
    own = page(seed, "/account", member=True)
    assert [record.name for record in own.records] == [film.title for film in FILMS[1:4]]
    assert all(len([element for element in record.elements if element.role in BUTTONS]) == 1 for record in own.records)


@rows("seed", SEEDS)
def test_every_selector_of_every_page_is_exact(seed: int) -> None:
    for path in ("/", "/films/2", "/contact", "/account", "/login"):
        read_page = page(seed, path, member=True)
        for element in read_page.elements:
            assert read_page.selectors(element)


def test_a_greeting_covers_the_first_page_alone() -> None:
    site = MiniSite(3)
    first, second = (read(site.get("/", {}), "") for _ in range(2))
    assert (bool(first.dialogs), bool(second.dialogs)) == (True, False)


def test_the_site_records_actions() -> None:
    site = MiniSite(5)
    variant = site.variant
    assert site.post("/login", {variant.code("username"): USER, variant.code("password"): "no"}) == "/login?wrong=1"
    assert site.post("/login", {variant.code("username"): USER, variant.code("password"): PASSWORD}) == "/account"
    assert site.post("/films/2/watchlist", {}) == "/films/2"
    site.get("/search", {"genre": "Drama"})
    assert [event.kind for event in site.events] == ["login", "watchlist", "filter"]
    assert site.events[1].data["title"] == "1848"
