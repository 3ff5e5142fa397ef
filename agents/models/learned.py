"""What steps have shown of sites."""

from django.db import models

from agents.models.choices import Row
from agents.models.records import Step


class Learned(Row):
    """A fact about a site, for the tasks of one group of callers.

    `site`: the host and port that it was seen at; `project`: how its callers named it, "" where none did. `callers`: "" for all known
    callers and the miner itself, else the one unknown caller. `key` is unique among the kind's. `facts`: of at most `MOST_FACT` bytes, what
    its kind says. `won` and `lost`: how tasks ended that it was used for. `step`: the last that showed it. `size`: of the row, in bytes.
    `by_hand`: an admin wrote it, so steps don't change it.
    """

    class Kind(models.TextChoices):
        ROUTE = "route", "Route"
        LIST = "list", "List"
        FORM = "form", "Form"
        EFFECT = "effect", "Effect"
        SOLUTION = "solution", "Solution"

    site = models.CharField(max_length=200)
    project = models.CharField(max_length=100, blank=True)
    callers = models.CharField(max_length=50, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    won = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    by_hand = models.BooleanField(default=False)
    step = models.ForeignKey(Step, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    size = models.PositiveIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "learned fact"
        constraints = [models.UniqueConstraint(fields=["site", "callers", "kind", "key"], name="learned_once_a_site_and_callers")]
        indexes = [
            models.Index(fields=["project", "callers"], name="learned_by_project"),
            models.Index(fields=["seen_at", "size"], name="learned_oldest"),
        ]


class Unlearned(models.Model):
    """A step that the worker has not learned from yet. `settles_at`: from when on it was its task's last one, if none came after it; None
    while its page was not read either."""

    step = models.OneToOneField(Step, on_delete=models.CASCADE, primary_key=True, related_name="+")
    settles_at = models.DateTimeField(null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"Step {self.step_id} to learn from"
