"""How far texts are indexed, where the database needs to be told: SQLite."""

from __future__ import annotations

from django.db import models


class TextIndexed(models.Model):
    """Of one table (`name`) the rows from id `from_id` up to, without, `until_id` are in its text index. `from_id` 0: nothing is older."""

    name = models.CharField(max_length=60, unique=True)
    from_id = models.PositiveBigIntegerField()
    until_id = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(from_id__lte=models.F("until_id")), name="text_indexed_from_before_until")]

    def __str__(self) -> str:
        return f"{self.name}: {self.from_id} to {self.until_id}"
