"""The agent as it was exported for validators."""

from django.db import models
from django.utils import timezone

from agents.models.choices import Row


class Export(Row):
    """`version`, `commit`: of the code it was made of, commit "" where that is not known. `digest`: of its files; `archive`: these as a
    .tar.gz. `replica`: what its last run in a replica of the validators' sandbox showed, a row a line; empty: it was not run."""

    exported_at = models.DateTimeField(default=timezone.now)
    exported_by = models.CharField(max_length=150, blank=True)
    version = models.CharField(max_length=20)
    commit = models.CharField(max_length=40, blank=True)
    options = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, unique=True)
    files = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    archive = models.BinaryField()
    replica = models.JSONField(default=list, blank=True)
    replica_at = models.DateTimeField(null=True, blank=True)
    replica_passed = models.BooleanField(null=True)

    class Meta:
        ordering = ["-exported_at"]

    @property
    def name(self) -> str:
        return f"agent-{self.version}-{self.digest[:12]}"
