"""The miner as a bench starts it: real processes on a database of their own, with fake Chutes as the provider."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import Miner, environment

OWN = {"DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10, "DJANGO_SETTINGS_MODULE": "minerpanel.settings"}
TICKS = os.sysconf("SC_CLK_TCK")
# Facts that wait in the spool are written within seconds once the database answers; a busy machine takes longer.
SPOOL_SECONDS = 90.0
# An empty spool may be between two steps: it is empty when it was seen so this many times, a second apart.
SETTLED = 5


@contextmanager
def running(data: Path, fake_chutes: FakeChutes, *settings: str, migrated: Path | None = None, **more: str) -> Iterator[Miner]:
    """A miner without a process yet, on SQLite in `data` unless `more`, which goes into its environment, has a DATABASE_URL.
    `settings`: as `manage.py miner_settings` takes them; `migrated`: an SQLite database to start from, so that none has to be migrated.
    """
    data.mkdir(exist_ok=True, mode=0o700)
    with Miner.running(environment({**os.environ, **OWN, "DATA_DIR": str(data)}, fake_chutes, **more)) as miner:
        if migrated:
            shutil.copy(migrated, miner.database_file)
        else:
            miner.manage("migrate", "--verbosity", "0")
        if settings:
            miner.manage("miner_settings", *settings)
        yield miner


@dataclass(slots=True)
class Instance:
    url: str
    miner: Miner

    @property
    def web(self) -> int:
        return self.miner.processes[0].pid

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.web}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self.web}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def count(self, table: str, condition: str) -> int:
        return int(self.miner.rows(f"SELECT count(*) FROM agents_{table} WHERE {condition}")[0][0])  # noqa: S608 -- the bench's own names

    def on_record(self, condition: str) -> list[str]:
        sql = f"SELECT task.key FROM agents_step step JOIN agents_task task ON task.id = step.task_id WHERE step.answered_at IS NOT NULL AND {condition}"  # noqa: E501, S608 -- the bench's own names
        return [key for (key,) in self.miner.rows(sql)]

    def lost(self, tasks: set[str]) -> set[str]:
        """Those of the tasks that do not come on record, though nothing waits in the spool any more."""
        over, settled = time.monotonic() + SPOOL_SECONDS, 0
        while (missing := tasks - set(self.on_record("task.key LIKE 'honest-%'"))) and settled < SETTLED and time.monotonic() < over:
            settled = 0 if any(self.miner.database_file.parent.glob("spool/*.json")) else settled + 1
            time.sleep(1.0)
        return missing

    def replace_web(self) -> None:
        self.url = self.miner.web()
        self.miner.processes[0] = self.miner.processes.pop()

    def disk_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.miner.database_file.parent.rglob("*") if path.is_file())


def start(stack: ExitStack, *settings: str, latency: float = 0.0, migrated: Path | None = None) -> Instance:
    """Start an instance with `settings` as `manage.py miner_settings` takes them; it ends with `stack`."""
    fake_chutes = stack.enter_context(FakeChutes.started("--limit", "1000000", "--latency", str(latency)))
    data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True))) / "data"
    # What an attack makes the miner log is not the benchmark's output.
    miner = stack.enter_context(running(data, fake_chutes, *settings, migrated=migrated, LOG_LEVEL="CRITICAL"))
    url = miner.web()
    miner.worker()
    return Instance(url, miner)
