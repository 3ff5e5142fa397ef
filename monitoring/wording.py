"""The agents' sentences in the reader's language. What is recorded as a sentence stays as it was recorded."""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import gettext

from agents.phrases import Phrase


def translated(text: str) -> str:
    """A sentence of a table or of the core, with its values, in the language of the request. Other texts stay as they are."""
    if not isinstance(text, Phrase):
        return gettext(text)
    said = gettext(text.template)
    if not text.values:
        return said
    return said.format(**{name: translated(value) if isinstance(value, Phrase) else value for name, value in text.values.items()})


# For what is read once and shown to many, such as the choices of a form.
translated_lazy = lazy(translated, str)
