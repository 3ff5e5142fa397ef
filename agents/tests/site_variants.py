"""The variant of a small site at a seed: ids, classes, texts, order, labels, wrappers and decoys differ; its functions do not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from random import Random
from typing import TypeVar

T = TypeVar("T")

LABELS: Mapping[str, Sequence[str]] = {
    "log in": ("Log in", "Sign in", "Login", "Access account"),
    "log out": ("Log out", "Sign out", "Logout"),
    "details": ("View details", "See more", "More info", "View film"),
    "watchlist": ("Add to watchlist", "Watchlist", "Save to watchlist"),
    "cart": ("Add to cart", "Add to basket", "Put in cart"),
    "contact": ("Contact", "Contact us", "Get in touch"),
    "account": ("My films", "Profile", "My account"),
    "filter": ("Apply", "Apply filters", "Filter"),
    "search": ("Search films", "Find films, directors…", "What are you looking for?"),
    "comment": ("Post comment", "Comment", "Send comment"),
    "send": ("Send", "Send message", "Submit"),
    "delete": ("Delete", "Remove", "Delete film"),
    "sure": ("Confirm", "Yes, delete", "Delete for good"),
    "close": ("Got it", "Close", "No thanks"),
}
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant. The same seed and key always give the same result."""

    seed: int

    def rng(self, key: str) -> Random:
        return Random(f"{self.seed} {key}")

    def pick(self, key: str, options: Sequence[T]) -> T:
        return self.rng(key).choice(options)

    def label(self, meaning: str) -> str:
        return self.pick(meaning, LABELS[meaning])

    def shuffled(self, key: str, parts: Iterable[T]) -> list[T]:
        listed = list(parts)
        self.rng(key).shuffle(listed)
        return listed

    def code(self, key: str) -> str:
        """A random name of a form's field, an id or a class."""
        return "k" + "".join(self.rng(f"code {key}").choices(_LETTERS, k=7))

    def marks(self, key: str) -> str:
        """Meaningless attributes of a node."""
        kinds = (f'id="{self.code(key)}"', f'class="{self.code(key)} px-{self.seed % 9}"', f'data-v="{self.seed}"', "")
        return self.pick(f"marks {key}", kinds)

    def wrapped(self, key: str, html: str) -> str:
        """Within up to two wrappers, beside a decoy that can't be seen, or neither."""
        for number in range(self.rng(f"wraps {key}").randrange(3)):
            tag = self.pick(f"wrap {key} {number}", ("div", "span", "section"))
            html = f"<{tag} {self.marks(f'{key} {number}')}>{html}</{tag}>"
        decoy = '<span class="hidden" aria-hidden="true">Log out 1999 $1</span><div style="display: none"><button>Delete</button></div>'
        return self.pick(f"decoy {key}", ("", decoy, "")) + html + self.pick(f"decoy after {key}", ("", "", decoy))

    def link(self, path: str, text: str) -> str:
        joined = "&amp;" if "?" in path else "?"
        return f'<a {self.marks(path)} href="{path}{joined}seed={self.seed}">{escape(text)}</a>'

    def button(self, act: str, text: str) -> str:
        """A button whose action is in a script, not in its markup."""
        return f'<button type="button" {self.marks(act)} data-act="{self.address(act)}">{escape(text)}</button>'

    def address(self, path: str) -> str:
        return f"{path}?seed={self.seed}"

    def field(self, name: str, label: str, control: str = '<input type="text" {}>') -> str:
        """A field with one of several kinds of labels; `control` has a place for its attributes."""
        place = self.code(f"id {name}")
        given = f'name="{self.code(name)}"'
        labelled_controls = {
            "for": f'<label for="{place}">{label}</label>' + control.format(f'{given} id="{place}"'),
            "around": f"<label><span>{label}</span>{control.format(given)}</label>",
            "beside": f"<div><p>{label}</p><span>{control.format(given)}</span></div>",
            "aria": control.format(f'{given} aria-label="{label}"'),
            "hint": control.format(f'{given} placeholder="{label}"'),
        }
        if "<select" in control:
            labelled_controls.pop("hint")
        return self.wrapped(name, f"<div>{labelled_controls[self.pick('labels', sorted(labelled_controls))]}</div>")

    def facts(self, key: str, facts: Mapping[str, str]) -> str:
        """An item's attributes as HTML: labelled, as chips, or in one line."""
        labelled = "".join(f"<p><b>{name.capitalize()}:</b> {escape(value)}</p>" for name, value in facts.items())
        paired = "".join(f"<dt>{name.capitalize()}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
        spans = "".join(f"<div><span>{name.capitalize()}</span><span>{escape(value)}</span></div>" for name, value in facts.items())
        shown = {**facts, "rating": f"★ {facts['rating']}", "price": f"${facts['price']}", "director": f"Directed by {facts['director']}"}
        chips = "".join(f"<span {self.marks(f'{key} chip')}>{escape(value)}</span>" for value in self.shuffled("chips", shown.values()))
        line = f"<p>{escape(' • '.join(self.shuffled('line', shown.values())))}</p>"
        return self.pick("facts", (labelled, f"<dl>{paired}</dl>", spans, f"<div>{chips}</div>", line))
