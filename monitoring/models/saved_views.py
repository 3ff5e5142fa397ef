"""Filter lines that users keep by a name."""

from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse


class SavedView(models.Model):
    """A list's filter line and order. `page`: its route; `is_shared`: all users see it."""

    class Page(models.TextChoices):
        TASKS = "tasks", "Tasks"
        STEPS = "steps", "Steps"
        ATTEMPTS = "attempts", "LLM attempts"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=10, choices=Page.choices)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1_000, blank=True)
    sort = models.CharField(max_length=10, blank=True)
    is_shared = models.BooleanField("Shared with all users", default=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_one_of_a_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        given = {name: value for name, value in (("q", self.query), ("sort", self.sort)) if value}
        return f"{reverse(self.page)}?{urlencode(given)}" if given else reverse(self.page)
