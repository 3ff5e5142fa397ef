"""Jobs that tests queue: they run for a given time, under a lease."""

import time
import uuid
from pathlib import Path

from agents.models import SystemSchedule
from agents.operator_jobs import leased_job

# For tests with a quick watchdog.
leased_job.RENEW_SECONDS = 0.5


def wait(marker: str, seconds: float) -> None:
    """Note the start in the file `marker`, then wait."""
    with Path(marker).open("a") as file:
        file.write("started\n")
    job, _ = leased_job.start_here(SystemSchedule, name=f"test {uuid.uuid4()}")
    with leased_job.renewing(job):
        time.sleep(seconds)
    job.delete()
