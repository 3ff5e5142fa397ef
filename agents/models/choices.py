"""Shared by the models: enums as choices, and the name of a row."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial

from django.db import models


class Row(models.Model):
    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()


class Source(models.TextChoices):
    VALIDATOR = "validator", "Validator"
    OPERATOR = "operator", "Operator"
    TEST = "test", "Test"


class Route(models.TextChoices):
    LLM = "llm", "LLM"
    TEMPLATE = "template", "Template"


def choices(enum: type[StrEnum]) -> Callable[[], list[tuple[str, str]]]:
    """An enum's members with their sentences. Migrations refer to the enum, so that changes of members need no migration."""
    return partial(pairs, enum)


def pairs(enum: type[StrEnum]) -> list[tuple[str, str]]:
    return [(member.value, getattr(member, "sentence", member.value)) for member in enum]
