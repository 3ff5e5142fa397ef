from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from agents.models import AuditEntry
from monitoring.sign_in import second_factors


class Command(BaseCommand):
    help = "Remove the second factor of a user whose device is lost, and end the user's sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="The user's name.")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        row = User.objects.filter(username=user).first()
        if not row:
            raise CommandError(f"There is no user {user}. Their names are on Settings → Users.")
        removed = second_factors.reset(row)
        done = f"Reset the second factor of {user}: removed {removed}, ended all sessions."
        AuditEntry.record(AuditEntry.Action.SECOND_FACTOR, f"{done} By command.", by="", now=timezone.now())
        self.stdout.write(f"{done} The user logs in with the password alone and can add another.")
