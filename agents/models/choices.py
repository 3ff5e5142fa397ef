"""Enumerations as the database's choices."""

from __future__ import annotations

from enum import StrEnum

from django.db import models


class Source(models.TextChoices):
    """Who set a task."""

    VALIDATOR = "validator", "Validator"
    OPERATOR = "operator", "Operator"
    TEST = "test", "Test"


class Route(models.TextChoices):
    """Who answered a step."""

    LLM = "llm", "LLM"
    TEMPLATE = "template", "Template"


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """A core enum's members with their sentences."""
    return [(member.value, getattr(member, "sentence", member.value)) for member in enum]
