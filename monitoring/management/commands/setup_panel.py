"""Bring data folder, database, schedules, static files and the first admin to where the code wants them."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from agents import schedules
from monitoring import schedules as panel_schedules
from monitoring import users

ADMIN = "admin"


class Command(BaseCommand):
    """Safe to run again at each start: it does only what is missing."""

    help = "Make the data folder, migrate, collect static files, make the first admin."
    requires_system_checks = []  # they need the data folder, which this command makes

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("check", verbosity=0, stdout=self.stdout)
        call_command("migrate", interactive=False, verbosity=0)
        schedules.ensure()
        panel_schedules.ensure()
        call_command("collectstatic", interactive=False, verbosity=0)
        random = secrets.token_urlsafe(12)
        if make_first_admin(settings.PANEL_ADMIN_PASSWORD or random):
            shown = "as in PANEL_ADMIN_PASSWORD" if settings.PANEL_ADMIN_PASSWORD else f"{random} (shown this once)"
            self.stdout.write(f"First admin: {ADMIN}, password: {shown}")


def make_first_admin(password: str) -> bool:
    """Make the admin where there is none yet. Returns whether one was made."""
    if users.admins().exists():
        return False
    user = User.objects.create_superuser(ADMIN, password=password)
    user.groups.add(*Group.objects.filter(name=users.ADMINS))
    return True
