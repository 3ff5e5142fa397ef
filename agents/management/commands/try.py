"""`manage.py try PROMPT URL`: the template agent's understanding, candidates and plan, for improving a recipe. No database is read."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.contract.protocol import BadRequest, Form
from agents.hybrid.dry_run import trial

FORMS = {"one-shot": Form.ONE_SHOT, "step": Form.STEP}


class Command(BaseCommand):
    help = "Prints how the template agent understands a prompt, the candidates on the page, and its plan as text and as JSON."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompt", help="the task")
        parser.add_argument("url", help="the page's address, with its seed")
        parser.add_argument("--html", type=Path, help="a file with the page's HTML; without it there is no page")
        parser.add_argument("--project", default="", help="the caller's web_project_id, by which a known site is recognised")
        parser.add_argument("--form", choices=tuple(FORMS), default="step", help="the form of the answer (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["html"]
        try:
            page = file.read_text(encoding="utf-8", errors="replace") if file else ""
            made = trial(options["prompt"], options["url"], page=page, project=options["project"], form=FORMS[options["form"]])
        except OSError as error:
            raise CommandError(f"--html: {file} can't be read ({error.strerror}). Give a file with the page's HTML.") from error
        except BadRequest as error:
            raise CommandError(str(error)) from error
        actions = (f"  {count}. {sentence}" for count, sentence in enumerate(made.actions, 1))
        for line in (*made.understanding, *made.candidates, *made.plan, *actions, made.answer):
            self.stdout.write(line)
