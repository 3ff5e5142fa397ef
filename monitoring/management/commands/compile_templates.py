from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateSyntaxError
from django.template.loader import get_template


class Command(BaseCommand):
    help = "Compile every template of the panel, to report broken ones."

    def handle(self, *args: Any, **options: Any) -> None:
        folder, broken = settings.BASE_DIR / "templates", []
        for name in sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html")):
            try:
                get_template(name)
            except TemplateSyntaxError as error:
                broken.append(f"{name}: {error}")
        if broken:
            raise CommandError("\n".join(broken))
