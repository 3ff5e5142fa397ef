"""The databases of made-up records that benches look at: made once in data/bench-pages-<steps>, kept up to now, and made anew when what
is made up has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAYS = 90.0
MADE_BY = ("agents/demo/records.py", "monitoring/seeding.py", "monitoring/management/commands/seed_records.py")
# Further behind, it is made anew: what is added makes it larger than it is said to be.
LONGEST_GAP_DAYS = 9.0
TELL = """
from django.utils import timezone
from agents.models import Step
print("behind", (timezone.now() - Step.objects.latest("received_at").received_at).total_seconds() / 86_400)
"""
CHECK = """
from datetime import timedelta
from django.db.models import Sum
from django.utils import timezone
from agents.models import Step
from monitoring.models import RollupState, StepRollup, TextIndexed
state, now = RollupState.objects.get(), timezone.now()
assert state.is_complete and state.until_at > now - timedelta(hours=3), "hours are not summed"
for span, days, end in (("hour", 89, state.until_at), ("5min", 61, state.fives_until)):
    start = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    within = {"starts_at__gte": start, "starts_at__lt": end}
    told = StepRollup.objects.filter(span=span, **within).aggregate(count=Sum("count"))["count"]
    there = Step.objects.filter(received_at__gte=start, received_at__lt=end).count()
    assert told == there, f"the roll-ups of {span} tell of {told} steps of {there}"
assert not TextIndexed.objects.filter(from_id__gt=0).exists(), "texts are not indexed"
"""


def environment(steps: int) -> dict[str, str]:
    """For processes on the database of so many steps."""
    own = {"DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10, "CHUTES_API_KEY": ""}
    data = {"DATA_DIR": str(ROOT / "data" / f"bench-pages-{steps}"), "DJANGO_SETTINGS_MODULE": "minerpanel.settings"}
    return {**os.environ, **own, **data}


def seed(steps: int) -> dict[str, str]:
    """Have so many steps over the last 90 days, with all that pages show, summed and indexed. Returns the environment."""
    own = environment(steps)
    data = Path(own["DATA_DIR"])
    mark, made_by = data / "seeded", hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in MADE_BY)).hexdigest()
    if mark.exists() and mark.read_text() == made_by:
        _manage(own, "migrate", "--verbosity", "0")
        behind = float(_manage(own, "shell", "--no-imports", "--command", TELL).split("behind ")[1])
        if behind <= LONGEST_GAP_DAYS:
            _add(own, steps, behind)
            return own
    print(f"{steps:,} steps are made in {data}.", flush=True)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    _manage(own, "migrate", "--verbosity", "0")
    _add(own, steps, DAYS)
    mark.write_text(made_by)
    return own


def _add(own: dict[str, str], steps: int, days: float) -> None:
    """As many steps as so many days up to now have, and a look whether all is summed."""
    count = max(1, round(steps * days / DAYS))
    _manage(
        own, "seed_records", f"--steps={count}", f"--logs={count}", f"--days={days}", f"--seed={1 if days == DAYS else int(days * 1e6)}"
    )
    _manage(own, "shell", "--no-imports", "--command", CHECK)


def _manage(own: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=own, check=True, stdout=subprocess.PIPE, text=True).stdout
