"""Sentences that an edge can say in another language: English text that remembers what it was made of."""

from __future__ import annotations


class Phrase(str):
    """The English sentence. `template` and `values` are what it was made of; a value may be a phrase itself."""

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]


def phrase(template: str, **values: object) -> Phrase:
    """`template` with its named places filled, as `str.format` fills them. Translators get to see the template."""
    made = Phrase(template.format(**values) if values else template)
    made.template, made.values = template, values
    return made
