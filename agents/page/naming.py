"""The label of a control: by ARIA, a <label>, the text beside or above it, or its own text."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from agents.page.elements import FIELDS, PICKER, TICKED
from agents.page.nodes import LONGEST_TEXT, one_line
from agents.page.outline import FIELD_TAGS, Outline

# Of a page, and of nodes that name one element together.
MOST_LABELS, _MOST_IDS = 2500, 8
INVITES = re.compile(r"(?:all|any|every|select|choose|sort(?:ed)? by|pick|filter)\b.*\w", re.I)
_LABELLERS = frozenset({"label", "span", "p", "div", "strong", "b", "legend", "dt", "th", "td", "h2", "h3", "h4", "h5", "h6", "small"})
_FURTHEST_LABEL, _LONGEST_LABEL = 3, 60
_CHOICES = frozenset({"button", "radio", "checkbox", "option", "tab", "switch"})
_FURTHEST_SET = 5
# Siblings before a label's place among which another field may stand, and among which a text may.
_FURTHEST_FIELD, _FURTHEST_TEXT = 200, 12
# A button and a decoy; a block of more is a card.
_MOST_IN_WRAPPER, _LONGEST_GROUP = 2, 40
_NO_ROWS = frozenset({"form", "body", "nav", "header", "footer"})
_LABEL, _OTHER_FIELDS = frozenset({"label"}), frozenset({"color", "file"})
_PUNCTUATION = " :：*•-–—"


def placeholder_of(get: Callable[[str, str], str]) -> str:
    return get("placeholder", "").strip() or get("aria-placeholder", "") or get("data-placeholder", "")


@dataclass
class Naming:
    outline: Outline

    @cached_property
    def _labels_for(self) -> dict[str, int]:
        labels = reversed(self.outline.labels[:MOST_LABELS])
        return {name: at for at in labels if (name := self.outline.attributes[at].get("for"))}

    @cached_property
    def _legends(self) -> dict[int, str]:
        outline, legends = self.outline, dict[int, str]()
        for at in outline.inside(0, frozenset({"legend"})):
            fieldset = next((outer for outer in islice(outline.up(at, -1), _FURTHEST_SET) if outline.tags[outer] == "fieldset"), -1)
            legends.setdefault(fieldset, outline.text(at, _LONGEST_GROUP))
        return legends

    def label(self, at: int, role: str, text: str) -> str:
        """`text` is the element's own."""
        return next((line for name in self._names(at, role, text) if name and (line := one_line(name))), "")

    def _names(self, at: int, role: str, text: str) -> Iterator[str]:
        get, node = self.outline.attributes[at].get, self.outline.nodes[at]
        is_field = role in FIELDS or role == PICKER or get("type") in _OTHER_FIELDS
        yield from self._by_label(at)
        # Visible text comes before what only a pointer over it shows; a sign or a number is not enough.
        if not is_field and role not in TICKED and len(text) > 2 and any(map(str.isalpha, text)):
            yield text
        if role in TICKED:
            yield self._following(at)
        elif is_field:
            yield self._before(at, _FURTHEST_LABEL, _LONGEST_LABEL, only=_LABEL)
        if role != PICKER or node.tag == "input":
            yield from (placeholder_of(get), get("title", ""), get("alt", ""))
            yield text or self._alt_in(at)
        if is_field:
            yield self._invitation(at)
            yield self.neighbour(at)
        yield text or get("title", "") or get("placeholder", "")
        if role not in FIELDS or role in TICKED:
            # "on" is what browsers send for a box without a value.
            yield "" if role in TICKED and get("value") == "on" else get("value", "")

    def _by_label(self, at: int) -> Iterator[str]:
        outline, attributes = self.outline, self.outline.attributes[at]
        if "aria-labelledby" in attributes:
            yield self._of_ids(attributes["aria-labelledby"])
        yield attributes.get("aria-label", "")
        if "id" in attributes and (label := self._labels_for.get(attributes["id"], -1)) >= 0:
            yield outline.text(label, LONGEST_TEXT)
        if (label := outline.around[at].label) >= 0:
            yield outline.text(label, LONGEST_TEXT)

    def label_of(self, at: int) -> int:
        """The place of the label that is pressed for a control; -1 for none."""
        outline = self.outline
        named = self._labels_for.get(outline.attributes[at].get("id", ""), -1)
        return named if named >= 0 else outline.around[at].label

    def _is_of_another(self, label: int, place: int) -> bool:
        """Whether a label is that of a control outside of a node."""
        outline = self.outline
        owner = outline.by_id.get(outline.attributes[label].get("for", ""), -1) if outline.tags[label] == "label" else -1
        is_ticked = owner >= 0 and outline.attributes[owner].get("type") in {"checkbox", "radio"}
        return is_ticked and not place <= owner < outline.ends[place]

    def _invitation(self, at: int) -> str:
        """A first option that names what is chosen, such as "All genres" or "Sort by: newest"."""
        node = self.outline.nodes[at]
        first = next(iter(node.iter("option")), None) if node.tag == "select" else None
        text = one_line("".join(islice(first.itertext(), 4))) if first is not None else ""
        return text if INVITES.match(text) else ""

    def _alt_in(self, at: int) -> str:
        outline = self.outline
        if outline.ends[at] == at + 1:
            return ""
        inside = (outline.attributes[place] for place in range(at + 1, min(outline.ends[at], at + 20)))
        return next((name for attributes in inside if (name := attributes.get("alt") or attributes.get("aria-label", ""))), "")

    def by_aria(self, at: int) -> str:
        get = self.outline.attributes[at].get
        return one_line(self._of_ids(get("aria-labelledby", "")) or get("aria-label", ""))

    def described(self, at: int) -> str:
        get = self.outline.attributes[at].get
        return self._of_ids(" ".join((get("aria-errormessage", ""), get("aria-describedby", ""))))

    def _of_ids(self, ids: str) -> str:
        places = (self.outline.by_id.get(id_) for id_ in ids.split()[:_MOST_IDS])
        return " ".join(text for at in places if at is not None and (text := self.outline.text(at, LONGEST_TEXT)))

    def _following(self, at: int) -> str:
        outline = self.outline
        for place in islice(outline.up(at, 0), 2):
            piece, after = outline.lasts[place], self._after(place)
            is_sibling = after < outline.ends[outline.parents[place]]
            is_tail = piece < len(outline.owners) and outline.owners[piece] == outline.parents[place]
            if is_tail and not (is_sibling and outline.firsts[after] < piece) and not outline.around[place].hidden:
                return outline.pieces[piece][:_LONGEST_LABEL]
            if is_sibling:
                inside = outline.controls[outline.slice_of(after, outline.controls)]
                is_name = [outline.tags[control] for control in inside] in ([], ["a"])
                return outline.text(after, _LONGEST_LABEL) if is_name else ""
        return ""

    def _after(self, at: int) -> int:
        """The sibling after a node, without the boxes that are drawn between a control and its name; the end of their parent for none."""
        outline, after = self.outline, self.outline.ends[at]
        end = outline.ends[outline.parents[at]]
        while after < end and outline.firsts[after] == outline.lasts[after] and not outline.holds(after, outline.controls):
            after = outline.ends[after]
        return after

    def neighbour(self, at: int) -> str:
        """In much markup the label stands beside its field or above it without naming it."""
        return self._before(at, _FURTHEST_LABEL, _LONGEST_LABEL)

    def group_of(self, at: int, role: str) -> str:
        """By a legend or ARIA, else by the text just before a row of choices; "" for none."""
        return self._named_set(at) or self._row(at) if role in _CHOICES else ""

    def _named_set(self, at: int) -> str:
        outline, place = self.outline, self.outline.around[at].group
        while place > 0 and outline.tags[place] not in {"form", "fieldset"}:
            if name := self.by_aria(place):
                return name[:_LONGEST_GROUP]
            place = outline.around[outline.parents[place]].group
        return self._legends.get(place, "")

    def _row(self, at: int) -> str:
        outline, inner = self.outline, at
        for outer in islice(outline.up(outline.parents[at], 0), 3):
            is_wrapper = inner == at or outline.tags[at] != "button" or len(outline.children(inner)) <= _MOST_IN_WRAPPER
            if not is_wrapper or outline.tags[outer] in _NO_ROWS:
                return ""
            tag = outline.tags[inner]
            if tag and [outline.tags[child] for child in outline.children(outer)[:_FURTHEST_TEXT]].count(tag) > 1:
                name = self._before(inner, 1, _LONGEST_GROUP, skip=tag) or self._before(outer, 1, _LONGEST_GROUP)
                if name:
                    return name if len(name) < _LONGEST_GROUP else ""
            inner = outer
        return ""

    def _before(self, at: int, furthest: int, longest: int, skip: str = "", only: Set[str] = _LABELLERS) -> str:
        """The text of what stands before a node or before the blocks around it; nothing where that is another field's block."""
        outline = self.outline
        for place in islice(outline.up(at, 0), furthest):
            siblings = outline.children(outline.parents[place])
            index = bisect_left(siblings, place)
            if not skip and only is _LABELLERS and (text := self._text_before(place, siblings[index - 1] if index else -1)):
                return text
            for before in reversed(siblings[max(0, index - _FURTHEST_TEXT) : index]):
                if outline.tags[before] != skip and outline.firsts[before] < outline.lasts[before]:
                    is_name = outline.tags[before] in only and not self._is_of_another(before, place)
                    return self._name_in(before, longest) if is_name else ""
            if not skip and any(outline.tags[sibling] in FIELD_TAGS for sibling in siblings[max(0, index - _FURTHEST_FIELD) : index]):
                return ""
        return ""

    def _text_before(self, at: int, sibling: int) -> str:
        """The parent's own text between a node and the sibling before it."""
        outline, piece = self.outline, self.outline.firsts[at] - 1
        start = outline.lasts[sibling] if sibling >= 0 else outline.firsts[outline.parents[at]]
        if outline.around[at].hidden or piece < start or outline.owners[piece] != outline.parents[at]:
            return ""
        text = outline.pieces[piece].strip(_PUNCTUATION)
        return text if len(text) <= _LONGEST_LABEL and any(map(str.isalnum, text)) else ""

    def _name_in(self, at: int, longest: int) -> str:
        """Nothing for a node with a meaning of its own or with controls in it."""
        outline = self.outline
        if outline.tags[at] not in _LABELLERS or outline.holds(at, outline.controls):
            return ""
        text = outline.text(at, longest)
        return text if any(map(str.isalnum, text)) else ""
