"""`manage.py export_agent`: write the agent as a repository for validators, or check one."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.export import exports, replica, review
from agents.export.repository import NotEmpty, digest, read, write
from agents.models import Export
from agents.policy.modes import Mode, Use
from agents.standalone.options import Options

DEFAULT = Options()


class Command(BaseCommand):
    help = "Write the agent as a repository that validators clone and run. With --check: show what a folder holds, and change nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--mode", choices=[str(mode) for mode in Mode], default=str(DEFAULT.mode), help="Default: %(default)s")
        parser.add_argument("--llm-use", choices=[str(use) for use in Use], default=str(DEFAULT.llm_use), help="Default: %(default)s")
        models = "A model that the gateway serves, once for each, in the order in which they are tried. Without one the rules answer alone."
        parser.add_argument("--model", action="append", default=[], metavar="NAME", help=models)
        seconds = "In which a step is answered, 3 to 180. Default: %(default)s"
        parser.add_argument("--seconds", type=float, default=DEFAULT.seconds, help=seconds)
        parser.add_argument("--check", action="store_true", help="Show what the folder holds, and what a reviewer would object to.")
        parser.add_argument("--replica", action="store_true", help="Also run it in a replica of the sandbox. As root, on Linux.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not options["check"]:
            self._export(folder, options)
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Export into it first.")
        files = read(folder)
        row = Export.objects.filter(digest=digest(files)).first()
        findings = review.findings(files)
        if options["replica"] and not findings:
            self._run_replica(folder, row)
        self._show(row, len(files), findings)
        if findings:
            raise CommandError(f"{len(findings)} finding{'s' if len(findings) > 1 else ''}.")
        if options["replica"] and row and not row.replica_passed:
            raise CommandError("The replica found a fault.")

    def _export(self, folder: Path, options: dict[str, Any]) -> None:
        if not 3 <= options["seconds"] <= 180:
            raise CommandError("--seconds: give 3 to 180.")
        chosen = Options(options["mode"], options["llm_use"], tuple(options["model"]), options["seconds"])
        try:
            _, files = exports.export(chosen, "")
            write(files, folder)
        except (exports.Refused, NotEmpty) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{folder} can't be written: {error}") from None

    def _run_replica(self, folder: Path, row: Export | None) -> None:
        try:
            lines = replica.run(folder)
        except replica.NotHere as error:
            raise CommandError(str(error)) from None
        if row:
            replica.record(row, lines)
        else:
            self.stdout.write("\n".join(map(str, lines)))

    def _show(self, row: Export | None, count: int, findings: list[review.Finding]) -> None:
        if row is None:
            self.stdout.write(f"{count} files that are not on record here: exported elsewhere, or changed since.")
        else:
            self.stdout.write(f"Exported at: {row.exported_at:%Y-%m-%d %H:%M:%S} UTC")
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in exports.facts(row)))
            self.stdout.write(f"Replica: {replica.in_words(row)}")
            self.stdout.write("\n".join(f"  {line}" for line in replica.lines(row)))
        self.stdout.write("\n".join(map(str, findings)) or "A reviewer would object to nothing.")
        if row and not findings:
            self.stdout.write("\n".join(f"{number}. {step}" for number, step in enumerate(exports.steps(row), 1)))
