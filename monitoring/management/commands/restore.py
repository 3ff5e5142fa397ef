from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.retention import backup


class Command(BaseCommand):
    help = "Check a backup, then replace the database by it. The old database is kept."
    requires_system_checks = []  # the database may be broken

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--force", action="store_true", help="even if processes use the database; they continue with the restored data")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kept = backup.restore(options["file"], timezone.now(), force=options["force"])
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Restored from {options['file']}. The old database is kept {kept}.")
        self.stdout.write("Run make setup, which migrates it to this version, before you start the miner.")
