"""`manage.py site_map`: the learned facts of a site, as TOML."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from agents.learning import maps
from agents.learning.toml import toml
from agents.models import Learned


class Command(BaseCommand):
    help = "Print the learned facts of a site as TOML, in the form of files in SITE_FACTS_DIR."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("site", help="Its host and port, such as localhost:8000, or the name of its project.")
        parser.add_argument("--callers", default="", help="Facts of this unknown caller, by its address; default: of all known callers.")

    def handle(self, *args: Any, **options: Any) -> None:
        site = options["site"]
        rows = Learned.objects.filter(Q(site=site) | Q(project=site), callers=options["callers"]).order_by("seen_at", "pk")
        if not rows:
            sites = Learned.objects.filter(callers=options["callers"]).values_list("site", flat=True).distinct().order_by("site")[:20]
            raise CommandError(f"Nothing was learned of {site}. Known: {', '.join(sites) or 'no site yet'}.")
        self.stdout.write(toml(maps.table(rows)))
