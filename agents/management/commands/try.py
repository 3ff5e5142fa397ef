"""`manage.py try PROMPT URL`: what the template agent understands, sees and plans, for improving a recipe. No database is asked."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.known_sites import known_sites
from agents.page import read
from agents.protocol import BadRequest, Step, parse, render
from agents.template import plan
from agents.template.intents import understand
from agents.template.telling import candidates, understanding

_ENDPOINTS = {"step": "/step", "one-shot": "/solve_task"}


class Command(BaseCommand):
    help = "Prints what the template agent understands of a prompt, what answers to it on the page, and its plan in words and as JSON."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompt", help="the task in words")
        parser.add_argument("url", help="the page's address, with its seed")
        parser.add_argument("--html", type=Path, help="a file with the page; without one the page is unseen")
        parser.add_argument("--project", default="", help="the caller's web_project_id, by which a known site is told")
        parser.add_argument("--form", choices=tuple(_ENDPOINTS), default="step", help="how the answer is wanted (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        for line in _told(_step(options)):
            self.stdout.write(line)


def _step(options: dict[str, Any]) -> Step:
    request = {"id": "try", "task_id": "try", "prompt": options["prompt"], "url": options["url"], "html": _page(options["html"])}
    request["web_project_id"] = options["project"]
    try:
        return parse(_ENDPOINTS[options["form"]], json.dumps(request).encode())
    except BadRequest as error:
        raise CommandError(str(error)) from error


def _page(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file else ""
    except OSError as error:
        raise CommandError(f"--html: {file} can't be read ({error.strerror}). Give a file with the page's HTML.") from error


def _told(step: Step) -> Iterator[str]:
    intent = understand(step.prompt)
    page = read(step.page, step.url) if step.page else None
    yield from understanding(intent)
    yield from candidates(intent, page)
    made = plan(step, page, known_sites())
    yield f"plan: {made.reasoning}" + (" Done." if made.done else "")
    yield f"confidence: {made.confidence:.2f}. {made.confidence_why}"
    yield from (f"  {count}. {action.in_words()}" for count, action in enumerate(made.actions, 1))
    yield json.dumps(render(step, made, agent_id="template"), ensure_ascii=False, indent=2)
