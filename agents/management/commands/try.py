"""`manage.py try PROMPT URL`: what the template agent understands, sees and plans, for improving a recipe. No database is asked."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.protocol import BadRequest
from agents.trial import Trial, Wanted, trial


class Command(BaseCommand):
    help = "Prints what the template agent understands of a prompt, what answers to it on the page, and its plan in words and as JSON."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompt", help="the task in words")
        parser.add_argument("url", help="the page's address, with its seed")
        parser.add_argument("--html", type=Path, help="a file with the page; without one the page is unseen")
        parser.add_argument("--project", default="", help="the caller's web_project_id, by which a known site is told")
        parser.add_argument("--form", choices=tuple(Wanted), default=Wanted.STEP, help="how the answer is wanted (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        for line in _lines(_trial(options)):
            self.stdout.write(line)


def _trial(options: dict[str, Any]) -> Trial:
    try:
        page, form = _page(options["html"]), Wanted(options["form"])
        return trial(options["prompt"], options["url"], page=page, project=options["project"], form=form)
    except BadRequest as error:
        raise CommandError(str(error)) from error


def _page(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file else ""
    except OSError as error:
        raise CommandError(f"--html: {file} can't be read ({error.strerror}). Give a file with the page's HTML.") from error


def _lines(told: Trial) -> Iterator[str]:
    yield from (*told.understanding, *told.candidates, *told.plan)
    yield from (f"  {count}. {words}" for count, words in enumerate(told.actions, 1))
    yield told.answer
