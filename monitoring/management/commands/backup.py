from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.retention import backup


class Command(BaseCommand):
    help = "Write a consistent copy of the database to a file, or into a folder with the time in its name. The miner may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, metavar="FILE|FOLDER")
        parser.add_argument("--keep", type=int, metavar="N", help="in a folder: keep only the newest N backups made by this command")

    def handle(self, *args: Any, **options: Any) -> None:
        target, keep = options["target"], options["keep"]
        if keep is not None and (keep < 1 or not target.is_dir()):
            raise CommandError("--keep takes a number from 1, and a folder to keep them in.")
        try:
            path = backup.write(target, timezone.now())
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Backed up to {path} ({path.stat().st_size:,} bytes). Keep .env with it: SECRET_KEY decrypts the keys inside.")
        for old in backup.drop_old(target, keep) if keep else []:
            self.stdout.write(f"Deleted {old}.")
