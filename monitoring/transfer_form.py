"""The document that an admin imports: a file, or its text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring import transfer

# Twenty accounts with prices of fifty models each stay far below it.
MOST_BYTES = 1_000_000


class ImportForm(forms.Form):
    """A file or a text; the confirmation sends the text."""

    file = forms.FileField(label=_("File"), required=False, widget=forms.FileInput, help_text=_("A file that “Export” has written."))
    text = forms.CharField(
        required=False, max_length=MOST_BYTES, label=_("Or its text"), widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
    )

    def clean(self) -> dict[str, Any]:
        """`document`: what was read. `text`: as it was given."""
        given = self.cleaned_data.get("file")
        if given is None and not self.cleaned_data.get("text"):
            raise forms.ValidationError(_("Choose a file, or paste its text."))
        if given is not None:
            self.cleaned_data["text"] = self._text_of(given)
        self.cleaned_data["document"] = transfer.read(self.cleaned_data["text"])
        return self.cleaned_data

    def _text_of(self, given: Any) -> str:
        if given.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file has more than {most_bytes:,} bytes. It is no export of the settings.").format(most_bytes=MOST_BYTES)
            )
        try:
            text: str = given.read().decode()
        except UnicodeDecodeError:
            raise forms.ValidationError(_("The file is no UTF-8 text. It is no export of the settings.")) from None
        return text
