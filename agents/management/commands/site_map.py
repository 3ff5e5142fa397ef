"""`manage.py site_map`: what steps have shown of a site, as TOML."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from agents.learning import maps
from agents.learning.toml import toml
from agents.models import Learned


class Command(BaseCommand):
    help = "Print what steps have shown of a site as TOML, as SITE_FACTS_DIR takes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("site", help="Its host and port, such as localhost:8000, or the name of its project.")
        parser.add_argument("--callers", default="", help="What this unknown caller has shown, by its address; else all known callers.")

    def handle(self, *args: Any, **options: Any) -> None:
        site = options["site"]
        rows = Learned.objects.filter(Q(site=site) | Q(project=site), callers=options["callers"]).order_by("seen_at", "pk")
        if not rows:
            known = Learned.objects.filter(callers=options["callers"]).values_list("site", flat=True).distinct().order_by("site")[:20]
            raise CommandError(f"Nothing was learned of {site}. Known: {', '.join(known) or 'no site yet'}.")
        self.stdout.write(toml(maps.table(rows)))
