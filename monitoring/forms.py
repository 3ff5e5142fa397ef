"""What people enter, checked before it goes on."""

from __future__ import annotations

import logging
from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.protocol import MAX_URL
from agents.sites import split_http
from agents.trial import Trial, Wanted, trial

logger = logging.getLogger(__name__)

# The choice of no condition, in filters.
ANY = ("", _("Any"))
RANGES = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
RANGE_NAMES = [("1h", _("Last hour")), ("24h", _("Last 24 hours")), ("7d", _("Last 7 days"))]
# What a task's prompt and page may weigh; validators' own are far smaller.
MAX_PROMPT = 20_000
MAX_PAGE = 5_000_000


class TaskForm(forms.Form):
    """A task that an operator sets."""

    prompt = forms.CharField(
        label=_("Prompt"),
        max_length=MAX_PROMPT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What the agent shall do, as a validator would say it. Placeholders such as <username> stay as they are."),
    )
    url = forms.CharField(
        label=_("URL"),
        max_length=MAX_URL,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "http://localhost:8000/?seed=58"}),
        help_text=_("Where the task starts, with its seed."),
    )
    page = forms.CharField(
        label=_("Page HTML"),
        required=False,
        strip=False,
        max_length=MAX_PAGE,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("Optional. With the page at hand the agent writes selectors for it."),
    )

    form = forms.ChoiceField(
        label=_("Tried as"),
        required=False,
        choices=[(Wanted.ONE_SHOT, _("The whole plan at once")), (Wanted.STEP, _("The first step"))],
        help_text=_("For a try alone. A task that is queued is answered with a whole plan."),
    )

    def clean_url(self) -> str:
        """An address that the agent can start at."""
        url: str = self.cleaned_data["url"]
        if split_http(url) is None or any(letter.isspace() or not letter.isprintable() for letter in url):
            raise forms.ValidationError(_("Enter an absolute http or https URL, such as http://localhost:8000/?seed=58."))
        return url

    def task(self) -> dict[str, str]:
        """What `agents.submissions.submit` takes."""
        return {name: self.cleaned_data[name] for name in ("prompt", "url", "page")}

    def trial(self) -> Trial | None:
        """What the template agent would make of it; None, with an error on the form, where it fails."""
        asked = self.task()
        try:
            return trial(asked["prompt"], asked["url"], page=asked["page"], form=Wanted(self.cleaned_data["form"] or Wanted.ONE_SHOT))
        except Exception:
            # A recipe that trips over a page answers plainly in a step; here whoever improves it is told.
            logger.exception("The template agent failed on a task that was tried.")
            self.add_error(None, _("The template agent failed on this task. The log has the traceback."))
            return None
