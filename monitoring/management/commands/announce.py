"""Say where the panel is, once the miner answers and a worker runs jobs."""

import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from agents.worker.heartbeat import newest_beat

PATIENCE = 60.0  # seconds
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 -- where to look for what listens everywhere


class Command(BaseCommand):
    requires_system_checks = []  # those of web and worker tell enough
    help = "Print the panel's address when web and worker are up."

    def handle(self, *args: Any, **options: Any) -> None:
        address = panel_address(settings.BIND, settings.PORT)
        if wait_until_up(address, timezone.now()):
            self.stdout.write(f"The panel is at {address}")
        else:
            self.stderr.write(f"{address} does not answer yet. The lines above say why.")


def panel_address(bind: str, port: int) -> str:
    host = ANYWHERE.get(bind, bind)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def wait_until_up(address: str, since: datetime) -> bool:
    """Whether the miner answered and a worker gave a sign of life before patience ran out."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if answers(f"{address}health") and (beaten_at := newest_beat()) and beaten_at >= since:
            return True
        time.sleep(0.2)
    return False


def answers(url: str) -> bool:
    """Whether `url` answers with a status below 400."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
