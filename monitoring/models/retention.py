"""How long records are kept, where an admin wants it otherwise than by default."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class Retention(models.Model):
    """What an admin set for one rule of `monitoring.retention`, by its name. Every change is kept with who, when, old and new."""

    name = models.CharField(max_length=40, unique=True)
    days = models.PositiveIntegerField(_("Days"), validators=[MinValueValidator(1), MaxValueValidator(3_650)])
    most_rows = models.PositiveIntegerField(_("Most rows"), validators=[MinValueValidator(100), MaxValueValidator(100_000_000)])
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
