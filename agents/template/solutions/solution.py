"""How tasks of a kind are done on a site, learned from an LLM's runs: presses and fills in order, as plain values."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any
from zlib import crc32

from agents.page import FIELDS, Element, word_set, words
from agents.template.prompt import Criterion, Intent, Kind, Operator, meanings_of, names_of
from agents.template.prompt.intents import CREDENTIALS
from agents.template.prompt.masking import MARK, mask
from agents.template.prompt.task_kinds import LEAD_IN
from agents.template.prompt.verbs import verb_of

MOST_ACTIONS, MOST_LABELS, MOST_STEPS = 20, 4, 10
LONGEST_LABEL, LONGEST_TEXT = 60, 200
MOST_LOST = 2  # it is not used again after so many failed tasks
HOLE = re.compile(r"\{([a-z\d ]{1,60})\}")  # a placeholder for a value of the task: of a field, the item's name, the prompt's subject
ITEM, SUBJECT = "item", "subject"
SENDS = "submit"  # the role of a button that sends a form
# Words of any prompt.
_NOTHING = word_set("""user click press button link option page tab section view go navigate please want need then with is are equal contain
    not that which i me where via use detail site website any some all called named titled whose so them by using order""")
# The share of common words that two prompts must have: of the shorter one's words, and of all words of both.
_ALIKE, _ALIKE_AS_WHOLE = 0.6, 0.5


@dataclass(frozen=True, slots=True)
class Sign:
    """What similar tasks have in common. `kinds`: those of its parts in order; `verb`: its verb, else the first word of a task of no kind;
    `about`: the prompt's other words, without values."""

    kinds: str
    verb: str
    about: tuple[str, ...]

    def is_like(self, other: "Sign") -> bool:
        if (self.kinds, self.verb) != (other.kinds, other.verb):
            return False
        mine, others = set(self.about), set(other.about)
        shared = len(mine & others)
        is_other = Kind.OTHER.value in self.kinds.split(", ")  # tasks of no kind are compared by all their words
        return shared >= (_ALIKE_AS_WHOLE * len(mine | others) if is_other else _ALIKE * min(len(mine), len(others)))


@lru_cache(maxsize=256)
def sign_of(intent: Intent) -> Sign:
    heads = [replace(stage, text=MARK.sub(" ", mask(stage.text).text)).head for stage in intent.stages]
    about = {word for head in heads for word in meanings_of(head) - _NOTHING if word.isalpha()}
    family, first_words = verb_of(intent), words(re.sub(LEAD_IN, "", heads[0], count=1, flags=re.I))
    first = next(iter(meanings_of(first_words[0])), "") if first_words and intent.kind is Kind.OTHER else ""
    return Sign(", ".join(kind.value for kind in intent.chain), family[0] if family else first, tuple(sorted(about)[:12]))


@dataclass(frozen=True, slots=True)
class Control:
    """A control by its visible properties. `labels`: from runs, with holes. `route`: of a link, "" for none or one with a number.
    `in_item`: it is in the task's item. `place`: an XPath by the structure alone, or its place among the item's controls of its role; ""
    if runs differ in it."""

    role: str
    labels: tuple[str, ...] = ()
    icon: str = ""
    route: str = ""
    in_item: bool = False
    place: str = ""

    def merged(self, other: "Control") -> "Control | None":
        """With the labels from another run; None if that is another control."""
        if (self.role in FIELDS) != (other.role in FIELDS) or self.in_item != other.in_item or self.holes != other.holes:
            return None
        place = self.place if self.place == other.place else ""
        return replace(self, labels=tuple(dict.fromkeys((*self.labels, *other.labels)))[:MOST_LABELS], place=place)

    @property
    def holes(self) -> frozenset[str]:
        return frozenset(hole for label in self.labels for hole in HOLE.findall(label))


@dataclass(frozen=True, slots=True)
class LearnedAction:
    """`text`: typed, chosen, the URL or the keys, with holes. `part`: actions of one part are on one page and sent together."""

    type: str
    part: int
    control: Control | None = None
    text: str = ""

    @property
    def sends(self) -> bool:
        return self.control is not None and self.control.role == SENDS

    @property
    def holes(self) -> frozenset[str]:
        return frozenset(HOLE.findall(self.text)) | (self.control.holes if self.control else frozenset())


@dataclass(frozen=True, slots=True)
class Solution:
    """`by`: the fields of the criteria that the chosen item met. `steps`: the ids of the last steps of its runs. `won`, `lost`: how many
    tasks ended so. `id`: of its record, 0 for none."""

    sign: Sign
    actions: tuple[LearnedAction, ...]
    by: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    won: int = 0
    lost: int = 0
    id: int = 0

    @property
    def is_dropped(self) -> bool:
        return self.lost >= MOST_LOST

    @property
    def confidence(self) -> float:
        return (self.won + 1) / (self.won + self.lost + 2)

    @property
    def key(self) -> str:
        """Of its record: its kind of task, and a checksum of its actions."""
        actions = json.dumps([asdict(action) for action in self.actions], sort_keys=True)
        return f"{self.sign.kinds}, {self.sign.verb or 'no verb'}: {' '.join(self.sign.about)}"[:180] + f" ({crc32(actions.encode()):08x})"

    @property
    def holes(self) -> frozenset[str]:
        return frozenset().union(*(action.holes for action in self.actions))

    def is_for(self, intent: Intent) -> bool:
        """Whether the task is of its kind, and has values for its holes and its item, or none if the runs used none."""
        fields = self.holes - {ITEM}
        has_values = any(criterion.field not in CREDENTIALS for criterion in intent.all_criteria)
        if (has_values and not (fields or self.by)) or (self.by and not has_values):
            return False
        has_item = any(action.control and action.control.in_item for action in self.actions)
        is_filled = not fields or has_item or any(criteria_for(hole, intent) for hole in fields)
        return self.sign.is_like(sign_of(intent)) and is_filled

    def merged(self, other: "Solution") -> "Solution | None":
        """Merged with another run's; None if its actions differ."""
        if len(self.actions) != len(other.actions) or not self.sign.is_like(other.sign):
            return None
        actions = list[LearnedAction]()
        for mine, its in zip(self.actions, other.actions, strict=True):
            if mine.type != its.type or (mine.control is None) != (its.control is None) or _shape(mine.text) != _shape(its.text):
                return None
            control = mine.control.merged(its.control) if mine.control and its.control else None
            if mine.control and control is None:
                return None
            actions.append(replace(mine, control=control))
        steps = tuple(dict.fromkeys((*self.steps, *other.steps)))[-MOST_STEPS:]
        return replace(self, actions=tuple(actions), by=tuple(dict.fromkeys((*self.by, *other.by))), steps=steps)

    def facts(self) -> dict[str, Any]:
        """As JSON, without the columns of its record."""
        return {name: value for name, value in asdict(self).items() if name not in {"id", "won", "lost"}}


def read_solution(facts: Mapping[str, Any], *, won: int = 0, lost: int = 0, id_: int = 0) -> Solution:
    """Raises TypeError, KeyError or ValueError for invalid facts."""
    sign, actions = facts["sign"], list[LearnedAction]()
    for action in facts["actions"][:MOST_ACTIONS]:
        shown = action["control"]
        control = Control(**{**shown, "labels": tuple(map(str, shown["labels"]))}) if shown else None
        actions.append(LearnedAction(str(action["type"]), int(action["part"]), control, str(action["text"])))
    signature = Sign(str(sign["kinds"]), str(sign["verb"]), tuple(map(str, sign["about"])))
    return Solution(signature, tuple(actions), tuple(map(str, facts["by"])), tuple(map(int, facts["steps"])), won, lost, id_)


def criteria_for(hole: str, intent: Intent) -> tuple[Criterion, ...]:
    """The task's criteria for a hole, empty if there are none."""
    if hole == SUBJECT:
        return (Criterion(SUBJECT, Operator.EQUALS, (intent.subject,)),) if intent.subject else ()
    known = intent.all_criteria
    exact = tuple(criterion for criterion in known if criterion.name == hole)
    if exact:
        return exact
    names = {name for name, weight in names_of(hole) if weight >= 0.7}
    near = next((criterion.field for criterion in known if criterion.name in names), "")
    return tuple(criterion for criterion in known if criterion.field == near)


def best_for(solutions: Iterable[Solution], intent: Intent) -> Solution | None:
    """The most successful one for the task that is not dropped."""
    fitting = (solution for solution in solutions if not solution.is_dropped and solution.is_for(intent))
    return max(fitting, key=lambda solution: (solution.won - solution.lost, len(solution.steps), solution.id), default=None)


def called(element: Element) -> str:
    return " ".join((element.label or element.text or element.placeholder or element.beside or element.group).split())


def of_role(elements: Iterable[Element], role: str) -> list[Element]:
    return [element for element in elements if element.usable and role_of(element) == role]


def role_of(element: Element) -> str:
    """Its role, with passwords apart from other fields and submit buttons apart from plain ones."""
    return "password" if element.type == "password" else SENDS if element.submits and element.role == "button" else element.role


def _shape(text: str) -> str:
    """A text with holes as it is; "…" for any other, as an LLM's invented texts differ from run to run."""
    return text if HOLE.search(text) or not text else "…"
