"""A small site about films for tests: it looks otherwise at each seed, is driven by forms and scripts, and records what is done on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from agents.tests.mini_looks import Look

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
    """Something that was done on the site: `data` are the values that came along, or the facts of the film that it was done to."""

    kind: str
    data: Mapping[str, str]


@dataclass
class MiniSite:
    """One visitor's site at one seed. `events` is what was done on it, in order."""

    seed: int
    events: list[Event] = field(default_factory=list)
    user: str = ""
    greets: bool = True
    own: list[Film] = field(default_factory=lambda: list(FILMS[1:4]))
    comments: list[str] = field(default_factory=lambda: ["Lovely."])

    @property
    def look(self) -> Look:
        return Look(self.seed)

    def get(self, path: str, query: Mapping[str, str]) -> str:
        """The page at a path."""
        look = self.look
        match path.strip("/").split("/"):
            case ["films", number]:
                return self._page(self._detail(int(number)))
            case ["login"]:
                return self._page(f"<h1>{look.word('log in')}</h1>" + self._form("/login", self._login_fields(), look.word("log in")))
            case ["contact"]:
                return self._page("<h1>Write to us</h1>" + self._form("/contact", self._contact_fields(), look.word("send")))
            case ["account"] if self.user:
                return self._page(f"<h1>Welcome, {self.user}</h1>" + self._own_films())
            case ["thanks"]:
                return self._page("<h1>Thank you</h1><p>We will answer soon.</p>")
            case ["search"]:
                return self._page(self._results(query))
        return self._page(f"<h1>Minifilms</h1>{self._filters()}{self._cards(FILMS)}")

    def post(self, path: str, sent: Mapping[str, str]) -> str:
        """Does what was asked for; says where to go then."""
        values = {name: sent[code] for name in _FIELDS if (code := self.look.code(name)) in sent}
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
                film = next(one for one in self.own if self.look.code(one.title) == title)
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
        look = self.look
        links = [look.link("/", "Home"), look.link("/search", "Browse"), look.link("/contact", look.word("contact"))]
        member = [look.link("/account", look.word("account")), look.button("/logout", look.word("log out"))]
        nav = "".join(look.shuffled("nav", [*links, *(member if self.user else [look.link("/login", look.word("log in"))])]))
        hint = escape(look.word("search"))
        search = f'<form action="/search"><input type="hidden" name="seed" value="{look.seed}"><input name="q" placeholder="{hint}"><button>Go</button></form>'
        head = "".join(look.shuffled("head", [f"<nav>{nav}</nav>", look.wrapped("search", search)]))
        body = f"<header>{head}</header>{look.wrapped('main', f'<main>{main}</main>')}<footer>{look.link('/about', 'About')}</footer>"
        return f"<!DOCTYPE html><html><head><title>Minifilms</title></head><body>{body}{self._greeting()}{_SCRIPT}</body></html>"

    def _greeting(self) -> str:
        """A dialog that some seeds show on the first page."""
        if not self.greets or self.seed % 3:
            return ""
        self.greets = False
        button = f'<button type="button" data-closes>{self.look.word("close")}</button>'
        return f'<div role="dialog" aria-modal="true" style="position: fixed; inset: 0; background: #fff"><p>New films every week!</p>{button}</div>'

    def _form(self, action: str, fields: Iterable[str], button: str) -> str:
        trap = '<div style="display: none"><label>Website<input name="website"></label></div>'
        inside = "".join(fields) + trap + self.look.wrapped(action, f'<button type="submit">{button}</button>')
        return f'<form method="post" action="{self.look.address(action)}" {self.look.marks(action)}>{inside}</form>'

    def _login_fields(self) -> list[str]:
        secret = self.look.field("password", "Password", '<input type="password" {}>')
        return [self.look.field("username", self.look.pick("user", ("Username", "User name", "Login name"))), secret]

    def _contact_fields(self) -> list[str]:
        look = self.look
        fields = [
            look.field("name", look.pick("who", ("Name", "Your name", "Full name"))),
            look.field("email", look.pick("mail", ("Email", "E-mail address")), '<input type="email" {}>'),
            look.field("subject", look.pick("what", ("Subject", "Topic"))),
            look.field("message", look.pick("text", ("Message", "Your message")), "<textarea {}></textarea>"),
        ]
        return look.shuffled("contact", fields)

    def _filters(self) -> str:
        look = self.look
        genres, years = sorted({film.genre for film in FILMS}), sorted({film.year for film in FILMS})
        selects = [
            f'<label>{name}<select name="{name.lower()}"><option value="">All {name.lower()}s</option>{_options(values)}</select></label>'
            for name, values in (("Genre", genres), ("Year", years))
        ]
        inside = "".join(look.shuffled("filters", selects)) + f'<button type="submit">{look.word("filter")}</button>'
        return f'<form action="/search"><input type="hidden" name="seed" value="{look.seed}">{inside}</form>'

    def _results(self, query: Mapping[str, str]) -> str:
        wanted = {name: query[name] for name in ("genre", "year") if query.get(name)}
        if wanted:
            self._did("filter", wanted, "")
        if query.get("q"):
            self._did("search", {"query": query["q"]}, "")
        found = [film for film in FILMS if all(film.facts[name] == value for name, value in wanted.items())]
        found = [film for film in found if query.get("q", "").lower() in film.title.lower()]
        return f"<h1>Search</h1><p>{len(found)} films</p>{self._filters()}{self._cards(found)}"

    def _cards(self, films: Iterable[Film]) -> str:
        return f"<div {self.look.marks('grid')}>{''.join(map(self._card, self.look.shuffled('films', films)))}</div>"

    def _card(self, film: Film) -> str:
        look, number = self.look, FILMS.index(film)
        buttons = [look.link(f"/films/{number}", look.word("details")), look.button(f"/films/{number}/cart", look.word("cart"))]
        parts = [
            f"<{look.pick('heading', ('h2', 'h3', 'h4'))}>{escape(film.title)}</{look.pick('heading', ('h2', 'h3', 'h4'))}>",
            look.facts(film.title, film.facts),
            f"<div>{''.join(look.shuffled('card buttons', buttons))}</div>",
            '<img src="data:," alt="">',
        ]
        tag = look.pick("card", ("div", "article", "li"))
        return look.wrapped(film.title, f"<{tag} {look.marks('card')}>{''.join(look.shuffled('card parts', parts))}</{tag}>")

    def _detail(self, number: int) -> str:
        look, film = self.look, FILMS[number]
        self._did("detail", {**film.facts, "title": film.title}, "")
        acts = [look.button(f"/films/{number}/{act}", look.word(act)) for act in ("watchlist", "cart")]
        fields = [look.field("author", "Your name"), look.field("comment", "Comment", "<textarea {}></textarea>")]
        said = "".join(f"<li><p>{escape(text)}</p></li>" for text in self.comments)
        parts = [look.facts(film.title, film.facts), f"<div>{''.join(look.shuffled('acts', acts))}</div>"]
        form = self._form(f"/films/{number}/comment", fields, look.word("comment"))
        alike = self._cards(one for one in FILMS[:3] if one != film)
        head = f"<h1>{escape(film.title)}</h1>{''.join(look.shuffled('detail', parts))}"
        return f"{head}<section><h2>Comments</h2><ul>{said}</ul>{form}</section><section><h2>Related films</h2>{alike}</section>"

    def _own_films(self) -> str:
        return f"<h2>Your films</h2><ul>{''.join(map(self._own_film, self.own))}</ul>"

    def _own_film(self, film: Film) -> str:
        look, act = self.look, f"/account/{self.look.code(film.title)}"
        button = look.button(act, look.word("delete"))
        if self.seed % 2:
            place = look.code(f"dialog {film.title}")
            dialog = (
                f'<div id="{place}" role="dialog" aria-modal="true" hidden><p>Are you sure?</p>{look.button(act, look.word("sure"))}</div>'
            )
            button = f'<button type="button" data-opens="{place}">{look.word("delete")}</button>{dialog}'
        return f"<li><h3>{escape(film.title)}</h3>{look.facts(film.title, film.facts)}<div>{button}</div></li>"


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
