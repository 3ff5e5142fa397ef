import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from monitoring.models import SUITE_TITLES, Result, TestRun
from monitoring.testruns.suites import running
from monitoring.testruns.suites.report import as_json, as_markdown, report


class Command(BaseCommand):
    help = "Run the integration tests and print the report. Exit status 1 if a check failed, 2 if another run is active."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--suite", action="append", choices=list(SUITE_TITLES), help="only this suite; may be given several times")
        parser.add_argument("--hours", type=float, default=24, help="hours that the log analysis covers (%(default)s)")
        parser.add_argument("--bypass-pause", action="store_true", help="test paused accounts too, which may make a pause longer")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--markdown", action="store_true", help="print Markdown (the default)")
        form.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["hours"] <= 24 * 366:
            raise CommandError("--hours: must be a number from 0 to 8784.")
        chosen = {"hours": options["hours"], "bypass_pause": options["bypass_pause"]}
        try:
            run = running.start(options["suite"] or list(SUITE_TITLES), trigger=TestRun.Trigger.COMMAND, options=chosen, here=True)
        except running.AlreadyRunning as error:
            raise CommandError(f"{error} Wait for it, or cancel it on its page.", returncode=2) from None
        run.refresh_from_db()
        made = report(run)
        self.stdout.write(json.dumps(as_json(made), cls=DjangoJSONEncoder) if options["json"] else as_markdown(made))
        if made.verdict == Result.FAIL:
            raise SystemExit(1)
