"""Compile every template, so that a broken one is found before a visitor finds it."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateSyntaxError
from django.template.loader import get_template


class Command(BaseCommand):
    help = "Compile every template of the panel."

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.BASE_DIR / "templates"
        broken = [fault for name in template_names(folder) if (fault := fault_of(name))]
        if broken:
            raise CommandError("\n".join(broken))


def template_names(folder: Path) -> list[str]:
    """The names of all HTML templates below `folder`."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))


def fault_of(name: str) -> str:
    """What is wrong with a template; "" where nothing is."""
    try:
        get_template(name)
    except TemplateSyntaxError as error:
        return f"{name}: {error}"
    return ""
