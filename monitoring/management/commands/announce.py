import json
import time
import urllib.request
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from agents import VERSION
from agents.worker.heartbeat import newest_beat
from monitoring.testruns.suites.api import address

PATIENCE = 60.0  # seconds


class Command(BaseCommand):
    requires_system_checks = []  # web and worker run them
    help = "Print the panel's address when web and worker of this version are up."

    def handle(self, *args: Any, **options: Any) -> None:
        panel = f"{address('')}/"
        since, over = timezone.now(), time.monotonic() + PATIENCE
        while time.monotonic() < over:
            if answers(f"{panel}health") and (beaten_at := newest_beat()) and beaten_at >= since:
                self.stdout.write(f"The panel is at {panel}")
                return
            time.sleep(0.2)
        self.stderr.write(f"{panel} does not answer yet. See the lines above.")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(json.load(answer)["version"] == VERSION)
    except (OSError, ValueError, KeyError):
        return False
