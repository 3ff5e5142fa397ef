"""Two small sites with a vocabulary of their own, for tests of learning from runs. They differ by seed, and record the actions on them.
SHED, FERRY and USUAL have kinds of task, each with its prompts and the actions that solve it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from random import Random

from agents.tests.site_variants import Variant

Sent = Mapping[str, str]
Event = tuple[str, dict[str, str]]


@dataclass
class SeededSite:
    """One visitor's site at one seed. `events`: the actions on it, with the values that were sent."""

    seed: int
    events: list[Event] = field(default_factory=list)

    @property
    def variant(self) -> Variant:
        return Variant(self.seed)

    def rows(self) -> list[dict[str, str]]:
        raise NotImplementedError

    def get(self, path: str, query: Sent) -> str:
        raise NotImplementedError

    def post(self, path: str, sent: Sent) -> str:
        raise NotImplementedError

    def page(self, nav: str, main: str) -> str:
        main = self.variant.wrapped("main", f"<main>{main}</main>")
        return f"<!DOCTYPE html><html><head><title>Site</title></head><body><nav>{nav}</nav>{main}</body></html>"

    def form(self, action: str, fields: list[str], button: str) -> str:
        inside = "".join(self.variant.shuffled(action, fields)) + f'<button type="submit" {self.variant.marks(button)}>{button}</button>'
        return f'<form method="post" action="{self.variant.address(action)}">{inside}</form>'

    def does(self, action: str, label: str) -> str:
        """A button with an immediate effect."""
        return f'<form method="post" action="{self.variant.address(action)}" {self.variant.marks(action)}><button>{label}</button></form>'

    def card(self, row: Mapping[str, str], number: int, acts: list[str]) -> str:
        variant, tag = self.variant, self.variant.pick("card", ("div", "article", "li"))
        facts = "".join(f"<p><b>{name.capitalize()}:</b> {escape(value)}</p>" for name, value in row.items() if name != "name")
        parts = [f"<h3>{escape(row['name'])}</h3>{facts}", f"<div>{''.join(variant.shuffled(f'acts {number}', acts))}</div>"]
        return f"<{tag} {variant.marks('card')}>{''.join(parts)}</{tag}>"

    def select(self, name: str, label: str, options: list[str]) -> str:
        listed = "".join(f"<option>{option}</option>" for option in ["Choose…", *options])
        return self.variant.field(name, label, f"<select {{}}>{listed}</select>")

    def values(self, sent: Sent, *names: str) -> dict[str, str]:
        return {name: sent.get(self.variant.code(name), "") for name in names}


NOUNS = ("Saw", "Drill", "Plane", "Chisel", "Clamp", "Router", "Lathe", "Grinder", "Jointer", "Vise")
MAKERS = ("Norden", "Halvor", "Brask", "Tiller", "Osmund", "Kestrel")


class ShedSite(SeededSite):
    """Tools that are lent: to be benched for a reason, handed to somebody, and graded."""

    def rows(self) -> list[dict[str, str]]:
        rng = Random(f"shed {self.seed}")
        names = rng.sample(NOUNS, 6)
        makers, codes = rng.sample(MAKERS, 6), rng.sample(range(100, 999), 6)
        return [
            {"name": f"{maker} {name}", "code": f"T-{code}", "maker": maker} for name, maker, code in zip(names, makers, codes, strict=True)
        ]

    def get(self, path: str, query: Sent) -> str:
        variant, rows = self.variant, self.rows()
        nav = "".join(variant.shuffled("nav", [variant.link("/", "Shed"), variant.link("/round", "Rounds"), variant.link("/help", "Help")]))
        match path.strip("/").split("/"):
            case ["tools", number]:
                row = rows[int(number)]
                self.events.append(("detail", row))
                return self.page(nav, f"<h1>{row['name']}</h1>{self.card(row, int(number), [])}")
            case ["tools", number, "bench"]:
                fields = [self.select("grounds", "Grounds", ["Worn", "Broken", "Lost parts"]), variant.field("remark", "Remark")]
                return self.page(
                    nav, f"<h1>Bench</h1>{self.form(f'/tools/{number}/bench', fields, variant.pick('seal', ('Seal', 'Seal it')))}"
                )
            case ["tools", number, "pass"]:
                fields = [variant.field("holder", variant.pick("holder", ("Next hand", "Hand"))), variant.field("until", "Until")]
                return self.page(
                    nav, f"<h1>Pass on</h1>{self.form(f'/tools/{number}/pass', fields, variant.pick('go', ('Hand on', 'Pass')))}"
                )
            case ["help"]:
                return self.page(nav, "<h1>Help</h1><p>Ask at the desk.</p>")
        return self.page(nav, f"<h1>Shed</h1><div>{''.join(self._card(row, number) for number, row in enumerate(rows))}</div>")

    def _card(self, row: Mapping[str, str], number: int) -> str:
        variant = self.variant
        acts = [
            variant.link(f"/tools/{number}", variant.pick("details", ("View details", "See more", "More info"))),
            variant.link(f"/tools/{number}/bench", variant.pick("bench", ("Bench", "Bench it", "To the bench"))),
            variant.link(f"/tools/{number}/pass", variant.pick("pass", ("Pass round", "Pass it round"))),
            self.does(f"/tools/{number}/wax", variant.pick("wax", ("Wax", "Wax it"))),
        ]
        return self.card(row, number, acts)

    def post(self, path: str, sent: Sent) -> str:
        _, _, number, act = path.split("/")
        row = self.rows()[int(number)]
        self.events.append((act, row | self.values(sent, "grounds", "remark", "holder", "until")))
        return "/"


PORTS = ("Arvik", "Bolsund", "Dromsø", "Elgnes", "Fjell", "Grava", "Holm", "Idvik")


class FerrySite(SeededSite):
    """Crossings of a ferry line, in a table below a part of the site of its own: to be scrubbed, or given a mate."""

    def rows(self) -> list[dict[str, str]]:
        rng = Random(f"ferry {self.seed}")
        return [
            {"name": f"{one} – {other}", "vessel": f"MV {rng.choice(NOUNS)} {number}", "departure": f"{rng.randrange(6, 22):02}:30"}
            for number, (one, other) in enumerate(zip(rng.sample(PORTS, 5), rng.sample(PORTS, 5), strict=True), 1)
        ]

    def get(self, path: str, query: Sent) -> str:
        variant, rows = self.variant, self.rows()
        office = variant.link("/office", variant.pick("office", ("Harbour office", "The harbour office")))
        nav = "".join(variant.shuffled("nav", [variant.link("/", "Quay"), office, variant.link("/fares", "Fares")]))
        match path.strip("/").split("/"):
            case ["office"]:
                return self.page(nav, f"<h1>Office</h1><table>{self._table(rows)}</table>")
            case ["office", number]:
                fields = [
                    variant.field("mate", variant.pick("mate", ("Mate", "Ship's mate"))),
                    self.select("watch", "Watch", ["Early", "Late", "Night"]),
                ]
                scrub = self.does(f"/office/{number}/scrub", variant.pick("scrub", ("Scrub", "Scrub this run")))
                form = self.form(f"/office/{number}/muster", fields, variant.pick("muster", ("Muster", "Muster now")))
                return self.page(nav, f"<h1>{rows[int(number)]['name']}</h1>{''.join(variant.shuffled('parts', [scrub, form]))}")
            case ["fares"]:
                return self.page(nav, "<h1>Fares</h1><p>One way 12.</p>")
        return self.page(nav, "<h1>Quay</h1><p>Welcome aboard.</p>")

    def _table(self, rows: list[dict[str, str]]) -> str:
        head = "".join(f"<th>{name.capitalize()}</th>" for name in (*rows[0], ""))
        label = self.variant.pick("log", ("Log", "Logbook"))
        lines = (
            "".join(f"<td>{escape(value)}</td>" for value in row.values()) + f"<td>{self.variant.link(f'/office/{number}', label)}</td>"
            for number, row in enumerate(rows)
        )
        return f"<tr>{head}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines)

    def post(self, path: str, sent: Sent) -> str:
        _, _, number, act = path.split("/")
        self.events.append((act, self.rows()[int(number)] | self.values(sent, "mate", "watch")))
        return "/office"


@dataclass(frozen=True, slots=True)
class Action:
    """An action that solves a part of a task: on the first control whose line in the LLM's prompt matches `control`, in the task's item
    where `in_item`. `text`: what is typed or chosen, with {fields}."""

    control: str
    in_item: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A kind of task. `prompts`: variants, with {fields} of the row, {cause} and so on; `event`: the event that the site records; `checks`:
    values of the event, by field; `actions`: on each page, in order."""

    site: Callable[[int], SeededSite]
    prompts: tuple[str, ...]
    event: str
    checks: Mapping[str, str]
    actions: tuple[tuple[Action, ...], ...]

    def values(self, seed: int) -> dict[str, str]:
        rng, row = Random(f"task {seed}"), None
        row = rng.choice(self.site(seed).rows())
        made = {
            "cause": ("Worn", "Broken", "Lost parts"),
            "person": ("Ida Holt", "Per Lind", "Una Moe"),
            "shift": ("Early", "Late", "Night"),
        }
        return {**row, **{name: rng.choice(values) for name, values in made.items()}}

    def prompt(self, seed: int) -> str:
        return Random(f"prompt {seed}").choice(self.prompts).format(**self.values(seed))

    def is_done(self, site: SeededSite, seed: int) -> bool:
        """Exactly once, to the right item, with the right values, and nothing else."""
        values = self.values(seed)
        expected = {name: text.format(**values) for name, text in self.checks.items()}
        made = [event for event in site.events if event[0] != "detail" or self.event == "detail"]
        return len(made) == 1 and made[0][0] == self.event and all(made[0][1][name] == value for name, value in expected.items())


SHED = {
    "retire": Trial(
        ShedSite,
        (
            "Retire the tool where code equals '{code}' and cause equals '{cause}'",
            "Please retire the tool where cause equals '{cause}' and code equals '{code}'",
            "Retire a tool with code '{code}', where cause equals '{cause}'",
        ),
        "bench",
        {"code": "{code}", "grounds": "{cause}"},
        ((Action(r'link "(?:To the b|B)ench', in_item=True),), (Action('listbox "Grounds"', text="{cause}"), Action('button "Seal')), ()),
    ),
    "loan": Trial(
        ShedSite,
        (
            "Loan the tool where code equals '{code}' to somebody where borrower equals '{person}'",
            "Loan out the tool whose code equals '{code}', where borrower equals '{person}'",
        ),
        "pass",
        {"code": "{code}", "holder": "{person}"},
        (
            (Action('link "Pass', in_item=True),),
            (Action('textbox "(?:Next h|H)and', text="{person}"), Action(r'button "(?:Hand on|Pass)')),
            (),
        ),
    ),
    "oil": Trial(
        ShedSite,
        ("Oil the tool where name equals '{name}'", "Oil the tool whose name equals '{name}'"),
        "wax",
        {"code": "{code}"},
        ((Action('button "Wax', in_item=True),), ()),
    ),
}
# Kinds of task that the template agent solves without learning.
USUAL = {
    "detail": Trial(
        ShedSite,
        ("Show details of the tool where code equals '{code}'", "Open the tool where name equals '{name}'"),
        "detail",
        {"code": "{code}"},
        (),
    )
}
FERRY = {
    "call off": Trial(
        FerrySite,
        ("Call off the crossing where vessel equals '{vessel}'", "Please call off the crossing whose vessel equals '{vessel}'"),
        "scrub",
        {"vessel": "{vessel}"},
        ((Action('link "(?:The h|H)arbour'),), (Action('link "Log', in_item=True),), (Action('button "Scrub'),), ()),
    ),
    "crew": Trial(
        FerrySite,
        (
            "Crew the crossing where vessel equals '{vessel}' with an officer where officer equals '{person}' and shift equals '{shift}'",
            "Crew the crossing where vessel equals '{vessel}', officer equals '{person}' and shift equals '{shift}'",
        ),
        "muster",
        {"vessel": "{vessel}", "mate": "{person}", "watch": "{shift}"},
        (
            (Action('link "(?:The h|H)arbour'),),
            (Action('link "Log', in_item=True),),
            (Action(r'textbox "(?:M|Ship\'s m)ate', text="{person}"), Action('listbox "Watch"', text="{shift}"), Action('button "Muster')),
            (),
        ),
    ),
}
