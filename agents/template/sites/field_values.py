"""The values that a prompt states for fields, as site facts name them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from agents.template.prompt import OPERATOR, POSITIVE, Criterion, Intent, Operator, meets, operator_of
from agents.template.prompt.criteria import criteria
from agents.template.prompt.masking import MARK, Masked, mask
from agents.template.prompt.values import chosen

# Prompts put them before the names of fields: the year of the film is the "movie_year".
_THINGS = ("movie", "film", "book", "product", "item", "restaurant", "hotel", "job", "event", "task", "email", "user")
_BLANKS = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class FieldValues:
    """All criteria of a prompt, and its `text` without quoted values, in lower case, with "first_name" as two words."""

    criteria: tuple[Criterion, ...]
    text: str

    def of(self, names: str) -> tuple[Criterion, ...]:
        """The criteria on the first of the names, alternated by |, that has any; "film year" is a year too."""
        fields = ({name, *(f"{thing} {name}" for thing in _THINGS)} for name in names.split("|"))
        criteria = (tuple(criterion for criterion in self.criteria if criterion.field in labels) for labels in fields)
        return next(filter(None, criteria), ())

    def has(self, names: str) -> bool:
        """Whether a field has a criterion; with + before the names, a positive one."""
        criteria = self.of(names.removeprefix("+"))
        return any(criterion.operator in POSITIVE for criterion in criteria) if names.startswith("+") else bool(criteria)

    def fields(self, among: Iterable[str]) -> set[str]:
        """The fields that have criteria, of all these names."""
        return {criterion.field for names in among if names for criterion in self.of(names)}

    def value(self, names: str, options: Sequence[str] = (), default: str | None = None) -> str | None:
        """A value that meets the field's criteria, preferably the default; without criteria the default."""
        criteria = self.of(names)
        if default is not None and all(criterion.operator.negative and meets(criterion, default) for criterion in criteria):
            return default
        return chosen(criteria, options) if criteria else default

    def apart(self, names: str) -> "tuple[FieldValues, ...]":
        """One copy for each of several values of a field; unchanged if there are not several."""
        several = next((criterion for criterion in self.of(names) if criterion.operator in POSITIVE and len(criterion.values) > 1), None)
        if several is None:
            return (self,)
        alone = [Criterion(several.field, Operator.EQUALS, (value,), several.end) for value in several.values]
        return tuple(replace(self, criteria=tuple(made if own is several else own for own in self.criteria)) for made in alone)


@lru_cache(maxsize=64)
def field_values(prompt: str, intent: Intent) -> FieldValues:
    """The values in a prompt. An item named without a criterion is its `subject`."""
    masked = mask(prompt)
    stated = list(criteria(masked))
    # A selector with more of them is too long to be sent.
    stated += islice(_unnamed(masked, {value for criterion in stated for value in criterion.values}), 4)
    subject = "" if stated else intent.stages[-1].subject
    # Without a capital it is no name ("any film of the nineties"), and a search for it would find nothing.
    if subject != subject.lower():
        stated.append(Criterion("subject", Operator.CONTAINS, (subject,)))
    return FieldValues(tuple(stated), "".join(sign if sign.isascii() else " " for sign in masked.text.lower().replace("_", " ")))


def _unnamed(masked: Masked, used: set[str]) -> Iterator[Criterion]:
    operators = {_BLANKS.match(masked.text, hit.end()).end(): hit for hit in OPERATOR.finditer(masked.text)}  # type: ignore[union-attr]
    for mark in MARK.finditer(masked.text):
        value = masked.plain(mark[0])
        if value not in used and value in masked.quoted:
            yield Criterion("subject", operator_of(operators[mark.start()]) if mark.start() in operators else Operator.CONTAINS, (value,))
