import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from agents.common.private_files import tighten
from agents.worker import schedules
from monitoring.testruns.suites import schedules as test_schedules
from monitoring.users import users

ADMIN = "admin"


class Command(BaseCommand):
    help = "Make the data folder, migrate, collect static files, make the first admin. Does only what is missing."
    requires_system_checks = []  # they need the data folder, which this command creates

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        tighten(settings.DATA_DIR)
        call_command("check", databases=[DEFAULT_DB_ALIAS], verbosity=0, stdout=self.stdout)
        call_command("migrate", interactive=False, verbosity=0)
        users.ensure_groups()
        schedules.ensure()
        test_schedules.ensure()
        if os.access(settings.BASE_DIR, os.W_OK):  # in an image they are collected already
            call_command("collectstatic", interactive=False, verbosity=0)
        if made := make_first_admin():
            self.stdout.write(made)


def make_first_admin() -> str:
    """A line about the new admin; "" if there is one already. Raises CommandError if the password is weak."""
    if users.admins().exists():
        return ""
    given, random = settings.PANEL_ADMIN_PASSWORD, secrets.token_urlsafe(12)
    try:
        if given:
            validate_password(given, User(username=ADMIN))
    except ValidationError as error:
        raise CommandError(f"PANEL_ADMIN_PASSWORD is too weak: {' '.join(error.messages)} Or leave it empty for a random one.") from None
    user = User.objects.create_superuser(ADMIN, password=given or random)
    user.groups.add(*Group.objects.filter(name=users.ADMINS))
    return f"First admin: {ADMIN}, password: {'as in PANEL_ADMIN_PASSWORD' if given else f'{random} (shown this once)'}"
