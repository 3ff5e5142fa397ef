"""Enumerations as the database's choices."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Source(models.TextChoices):
    """Who set a task."""

    VALIDATOR = "validator", _("Validator")
    OPERATOR = "operator", _("Operator")
    TEST = "test", _("Test")


class Route(models.TextChoices):
    """Who answered a step."""

    LLM = "llm", _("LLM")
    TEMPLATE = "template", _("Template")


def choices(enum: type[StrEnum]) -> list[tuple[str, StrOrPromise]]:
    """A core enum's members with their sentences."""
    return [(member.value, _(getattr(member, "sentence", member.value))) for member in enum]
