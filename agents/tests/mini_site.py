"""A small site about films for tests: it differs by seed, works by forms and scripts, and records the actions on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from agents.tests.site_variants import Variant

USER, PASSWORD = "ann", "secret 1"


@dataclass(frozen=True, slots=True)
class Film:
    title: str
    year: str
    rating: str
    genre: str
    director: str
    price: str

    @property
    def facts(self) -> dict[str, str]:
        return {"year": self.year, "rating": self.rating, "genre": self.genre, "director": self.director, "price": self.price}


FILMS = (
    Film("The Glass Harbour", "1994", "4.5", "Drama", "Nora Lind", "12.50"),
    Film("Seven Miles North", "2003", "3.9", "Thriller", "Omar Vale", "9.99"),
    Film("1848", "2016", "4.1", "History", "Ida Brandt", "14.00"),
    Film("A Kite for Marta", "1979", "4.8", "Drama", "Pia Sol", "7.25"),
    Film("Night Ferry: The Return", "2021", "2.7", "Horror", "Jon Aske", "19.99"),
    Film("Copper Moon", "2010", "3.2", "Western", "Nora Lind", "5.50"),
    Film("Laughing Gas", "1987", "4.0", "Comedy", "Theo Marsh", "11.00"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """An action on the site. `data`: the values that were sent, or the facts of the film."""

    kind: str
    data: Mapping[str, str]


@dataclass
class MiniSite:
    """One visitor's site at one seed. `events`: the actions on it, in order."""

    seed: int
    events: list[Event] = field(default_factory=list)
    user: str = ""
    greets: bool = True
    own: list[Film] = field(default_factory=lambda: list(FILMS[1:4]))
    comments: list[str] = field(default_factory=lambda: ["Lovely."])

    @property
    def variant(self) -> Variant:
        return Variant(self.seed)

    def get(self, path: str, query: Mapping[str, str]) -> str:
        """The page at a path."""
        variant = self.variant
        match path.strip("/").split("/"):
            case ["films", number]:
                return self._page(self._detail(int(number)))
            case ["login"]:
                return self._page(
                    f"<h1>{variant.label('log in')}</h1>" + self._form("/login", self._login_fields(), variant.label("log in"))
                )
            case ["contact"]:
                return self._page("<h1>Write to us</h1>" + self._form("/contact", self._contact_fields(), variant.label("send")))
            case ["account"] if self.user:
                return self._page(f"<h1>Welcome, {self.user}</h1>" + self._own_films())
            case ["thanks"]:
                return self._page("<h1>Thank you</h1><p>We will answer soon.</p>")
            case ["search"]:
                return self._page(self._results(query))
        return self._page(f"<h1>Minifilms</h1>{self._filters()}{self._cards(FILMS)}")

    def post(self, path: str, sent: Mapping[str, str]) -> str:
        """Handles a request; returns the path to go to."""
        values = {name: sent[code] for name in _FIELDS if (code := self.variant.code(name)) in sent}
        match path.strip("/").split("/"):
            case ["login"] if (values.get("username"), values.get("password")) == (USER, PASSWORD):
                self.user = USER
                return self._did("login", values, "/account")
            case ["login"]:
                return "/login?wrong=1"
            case ["logout"]:
                self.user = ""
                return self._did("logout", {}, "/")
            case ["contact"]:
                return self._did("contact", {**values, **({"trap": sent["website"]} if sent.get("website") else {})}, "/thanks")
            case ["films", number, act]:
                return self._on_film(int(number), act, values)
            case ["account", title]:
                film = next(film for film in self.own if self.variant.code(film.title) == title)
                self.own.remove(film)
                return self._did("delete", {**film.facts, "title": film.title}, "/account")
        return "/"

    def _on_film(self, number: int, act: str, values: Mapping[str, str]) -> str:
        if act == "watchlist" and not self.user:
            return "/login"
        if act == "comment":
            self.comments.append(values.get("comment", ""))
        film = FILMS[number]
        return self._did(act, {**film.facts, "title": film.title, **values}, f"/films/{number}")

    def _did(self, kind: str, data: Mapping[str, str], then: str) -> str:
        self.events.append(Event(kind, data))
        return then

    def _page(self, main: str) -> str:
        variant = self.variant
        links = [variant.link("/", "Home"), variant.link("/search", "Browse"), variant.link("/contact", variant.label("contact"))]
        member = [variant.link("/account", variant.label("account")), variant.button("/logout", variant.label("log out"))]
        nav = "".join(variant.shuffled("nav", [*links, *(member if self.user else [variant.link("/login", variant.label("log in"))])]))
        hint = escape(variant.label("search"))
        search = f'<form action="/search"><input type="hidden" name="seed" value="{variant.seed}"><input name="q" placeholder="{hint}"><button>Go</button></form>'
        head = "".join(variant.shuffled("head", [f"<nav>{nav}</nav>", variant.wrapped("search", search)]))
        body = f"<header>{head}</header>{variant.wrapped('main', f'<main>{main}</main>')}<footer>{variant.link('/about', 'About')}</footer>"
        return f"<!DOCTYPE html><html><head><title>Minifilms</title></head><body>{body}{self._greeting()}{_SCRIPT}</body></html>"

    def _greeting(self) -> str:
        """A dialog that some seeds show on the first page."""
        if not self.greets or self.seed % 3:
            return ""
        self.greets = False
        button = f'<button type="button" data-closes>{self.variant.label("close")}</button>'
        return f'<div role="dialog" aria-modal="true" style="position: fixed; inset: 0; background: #fff"><p>New films every week!</p>{button}</div>'

    def _form(self, action: str, fields: Iterable[str], button: str) -> str:
        trap = '<div style="display: none"><label>Website<input name="website"></label></div>'
        inside = "".join(fields) + trap + self.variant.wrapped(action, f'<button type="submit">{button}</button>')
        return f'<form method="post" action="{self.variant.address(action)}" {self.variant.marks(action)}>{inside}</form>'

    def _login_fields(self) -> list[str]:
        secret = self.variant.field("password", "Password", '<input type="password" {}>')
        return [self.variant.field("username", self.variant.pick("user", ("Username", "User name", "Login name"))), secret]

    def _contact_fields(self) -> list[str]:
        variant = self.variant
        fields = [
            variant.field("name", variant.pick("who", ("Name", "Your name", "Full name"))),
            variant.field("email", variant.pick("mail", ("Email", "E-mail address")), '<input type="email" {}>'),
            variant.field("subject", variant.pick("what", ("Subject", "Topic"))),
            variant.field("message", variant.pick("text", ("Message", "Your message")), "<textarea {}></textarea>"),
        ]
        return variant.shuffled("contact", fields)

    def _filters(self) -> str:
        variant = self.variant
        genres, years = sorted({film.genre for film in FILMS}), sorted({film.year for film in FILMS})
        selects = [
            f'<label>{name}<select name="{name.lower()}"><option value="">All {name.lower()}s</option>{_options(values)}</select></label>'
            for name, values in (("Genre", genres), ("Year", years))
        ]
        inside = "".join(variant.shuffled("filters", selects)) + f'<button type="submit">{variant.label("filter")}</button>'
        return f'<form action="/search"><input type="hidden" name="seed" value="{variant.seed}">{inside}</form>'

    def _results(self, query: Mapping[str, str]) -> str:
        filters = {name: query[name] for name in ("genre", "year") if query.get(name)}
        if filters:
            self._did("filter", filters, "")
        if query.get("q"):
            self._did("search", {"query": query["q"]}, "")
        matches = [film for film in FILMS if all(film.facts[name] == value for name, value in filters.items())]
        matches = [film for film in matches if query.get("q", "").lower() in film.title.lower()]
        return f"<h1>Search</h1><p>{len(matches)} films</p>{self._filters()}{self._cards(matches)}"

    def _cards(self, films: Iterable[Film]) -> str:
        return f"<div {self.variant.marks('grid')}>{''.join(map(self._card, self.variant.shuffled('films', films)))}</div>"

    def _card(self, film: Film) -> str:
        variant, number = self.variant, FILMS.index(film)
        buttons = [
            variant.link(f"/films/{number}", variant.label("details")),
            variant.button(f"/films/{number}/cart", variant.label("cart")),
        ]
        parts = [
            f"<{variant.pick('heading', ('h2', 'h3', 'h4'))}>{escape(film.title)}</{variant.pick('heading', ('h2', 'h3', 'h4'))}>",
            variant.facts(film.title, film.facts),
            f"<div>{''.join(variant.shuffled('card buttons', buttons))}</div>",
            '<img src="data:," alt="">',
        ]
        tag = variant.pick("card", ("div", "article", "li"))
        return variant.wrapped(film.title, f"<{tag} {variant.marks('card')}>{''.join(variant.shuffled('card parts', parts))}</{tag}>")

    def _detail(self, number: int) -> str:
        variant, film = self.variant, FILMS[number]
        self._did("detail", {**film.facts, "title": film.title}, "")
        acts = [variant.button(f"/films/{number}/{act}", variant.label(act)) for act in ("watchlist", "cart")]
        fields = [variant.field("author", "Your name"), variant.field("comment", "Comment", "<textarea {}></textarea>")]
        comments = "".join(f"<li><p>{escape(text)}</p></li>" for text in self.comments)
        parts = [variant.facts(film.title, film.facts), f"<div>{''.join(variant.shuffled('acts', acts))}</div>"]
        form = self._form(f"/films/{number}/comment", fields, variant.label("comment"))
        alike = self._cards(other for other in FILMS[:3] if other != film)
        head = f"<h1>{escape(film.title)}</h1>{''.join(variant.shuffled('detail', parts))}"
        return f"{head}<section><h2>Comments</h2><ul>{comments}</ul>{form}</section><section><h2>Related films</h2>{alike}</section>"

    def _own_films(self) -> str:
        return f"<h2>Your films</h2><ul>{''.join(map(self._own_film, self.own))}</ul>"

    def _own_film(self, film: Film) -> str:
        variant, act = self.variant, f"/account/{self.variant.code(film.title)}"
        button = variant.button(act, variant.label("delete"))
        if self.seed % 2:
            place = variant.code(f"dialog {film.title}")
            dialog = f'<div id="{place}" role="dialog" aria-modal="true" hidden><p>Are you sure?</p>{variant.button(act, variant.label("sure"))}</div>'
            button = f'<button type="button" data-opens="{place}">{variant.label("delete")}</button>{dialog}'
        return f"<li><h3>{escape(film.title)}</h3>{variant.facts(film.title, film.facts)}<div>{button}</div></li>"


_FIELDS = ("username", "password", "name", "email", "subject", "message", "author", "comment")
_SCRIPT = """<script>document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-act],[data-opens],[data-closes]");
  if (!pressed) return;
  if (pressed.dataset.opens) document.getElementById(pressed.dataset.opens).hidden = false;
  else if (pressed.dataset.act) {
    const form = Object.assign(document.createElement("form"), {method: "post", action: pressed.dataset.act});
    document.body.append(form);
    form.submit();
  }
  else pressed.closest("[role=dialog]").remove();
});</script>"""


def _options(values: Iterable[str]) -> str:
    return "".join(f"<option>{value}</option>" for value in values)
