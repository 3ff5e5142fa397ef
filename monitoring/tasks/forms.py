import logging
from typing import Any

from django import forms

from agents.configuration import accounts, models_of
from agents.contract.limits import MAX_PROMPT, MAX_URL
from agents.contract.origins import split_http
from agents.contract.protocol import Form
from agents.hybrid.dry_run import Trial, trial
from agents.models import Account, Replay
from agents.operator_jobs.replays import LONGEST_DEADLINE

logger = logging.getLogger(__name__)

# Bytes of a task's page; validators' own are far smaller.
MAX_PAGE = 5_000_000
# Models in a list, those of the account's settings first; a whole catalogue would be too long.
MODELS_OFFERED = 60
DEFAULT_DEADLINE = 25


class TaskForm(forms.Form):
    prompt = forms.CharField(
        label="Prompt",
        max_length=MAX_PROMPT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What the agent should do, as a validator would write it. Placeholders such as <username> stay as they are.",
    )
    url = forms.CharField(
        label="URL",
        max_length=MAX_URL,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "http://localhost:8000/?seed=58"}),
        help_text="Where the task starts, with its seed.",
    )
    page = forms.CharField(
        label="Page HTML",
        required=False,
        strip=False,
        max_length=MAX_PAGE,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Optional. With the page, the agent can write selectors for it.",
    )

    form = forms.ChoiceField(
        label="Try",
        required=False,
        choices=[(Form.ONE_SHOT, "The whole plan at once"), (Form.STEP, "The first step")],
        help_text="Only for a try. A queued task is answered with a whole plan.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if split_http(url) is None or any(letter.isspace() or not letter.isprintable() for letter in url):
            raise forms.ValidationError("Enter an absolute http or https URL, such as http://localhost:8000/?seed=58.")
        return url

    def task(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("prompt", "url", "page")}

    def trial(self) -> Trial | None:
        """The template agent's answer; None, with an error on the form, if it fails."""
        task = self.task()
        try:
            return trial(**task, form=Form(self.cleaned_data["form"] or Form.ONE_SHOT))
        except Exception:
            # In a step a failing recipe falls back to a plain answer; here its author needs the error.
            logger.exception("The template agent failed on a task that was tried.")
            self.add_error(None, "The template agent failed on this task. The log has the traceback.")
            return None


class ReplayForm(forms.Form):
    who = forms.ChoiceField(label="Who answers")
    deadline_seconds = forms.FloatField(
        label="Deadline, s",
        min_value=3,
        max_value=LONGEST_DEADLINE,
        initial=DEFAULT_DEADLINE,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._accounts = {str(account.pk): account for account in accounts() if account.enabled}
        plain = [(choice.value, choice.label) for choice in (Replay.Way.AS_SET, Replay.Way.TEMPLATE)]
        groups = [(f"Account {account.name}", _models(account)) for account in self._accounts.values()]
        self.fields["who"].choices = [*plain, *((name, models) for name, models in groups if models)]  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        pk, _, model = self.cleaned_data["who"].partition(":")
        way = Replay.Way.MODEL if model else Replay.Way(pk)
        return {"way": way, "account": self._accounts.get(pk), "model": model, "deadline_seconds": self.cleaned_data["deadline_seconds"]}


def _models(account: Account) -> list[tuple[str, str]]:
    listed = (entry["id"] for entry in account.catalogue)
    names = list(dict.fromkeys([*models_of(account), *listed]))[:MODELS_OFFERED]
    return [(f"{account.pk}:{name}", name) for name in names]
