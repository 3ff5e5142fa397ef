"""The miner as a bench starts it: real processes on a database of their own, with fake Chutes as the provider."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.nginx import Nginx
from minerpanel.tests.postgres import PostgresServer
from minerpanel.tests.processes import Miner, Web, environment

OWN = {"DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10, "DJANGO_SETTINGS_MODULE": "minerpanel.settings"}
TICKS = os.sysconf("SC_CLK_TCK")
# Facts that wait in the spool are written within seconds once the database answers; a busy machine takes longer.
SPOOL_SECONDS = 90.0
# An empty spool may be between two steps: it is empty when it was seen so this many times, a second apart.
SETTLED = 5
# What a writer raises who did not get the lock.
LOCKED = (sqlite3.OperationalError, psycopg.errors.LockNotAvailable)


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
    """`url`: where callers post; `server`: of its database, None for SQLite."""

    url: str
    miner: Miner
    web: Web
    server: PostgresServer | None

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.web.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory_mb(self) -> float:
        status = Path(f"/proc/{self.web.process.pid}/status").read_text()
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

    def start_web_again(self) -> None:
        """After its end, where it was before."""
        (self.web,) = self.miner.webs([{"PORT": self.web.url.rpartition(":")[2]}])

    def disk_bytes(self) -> int:
        """Of the data folder and, on Postgres, of the database without the server's write-ahead log."""
        files = sum(path.stat().st_size for path in self.miner.database_file.parent.rglob("*") if path.is_file())
        return files + (int(self.miner.rows("SELECT pg_database_size(current_database())")[0][0]) if self.server else 0)

    @contextmanager
    def writer(self) -> Iterator[Callable[[], object]]:
        """Another one who writes: takes SQLite's only lock, or changes on Postgres a row that each LLM step changes. Raises LOCKED."""
        if self.server:
            with psycopg.connect(self.miner.environment["DATABASE_URL"], autocommit=True, options="-c lock_timeout=1s") as database:
                yield lambda: database.execute("UPDATE agents_gate SET account_id = account_id")
        else:
            with closing(sqlite3.connect(self.miner.database_file, timeout=0, isolation_level=None)) as database:
                yield lambda: database.executescript("BEGIN IMMEDIATE; ROLLBACK")

    @contextmanager
    def hung_database(self) -> Iterator[None]:
        """SQLite is locked; Postgres answers nothing while its connections stay open."""
        if self.server:
            with self.server.stopped():
                yield
        else:
            with closing(sqlite3.connect(self.miner.database_file, timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                yield


def start(
    stack: ExitStack,
    *settings: str,
    latency: float = 0.0,
    migrated: Path | None = None,
    server: PostgresServer | None = None,
    has_nginx: bool = False,
) -> Instance:
    """Start an instance with `settings` as `manage.py miner_settings` takes them, on SQLite or a `server`; it ends with `stack`."""
    fake_chutes = stack.enter_context(FakeChutes.started("--limit", "1000000", "--latency", str(latency)))
    data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True))) / "data"
    # What an attack makes the miner log is not the benchmark's output.
    more = {"LOG_LEVEL": "CRITICAL", "TRUSTED_PROXIES": "127.0.0.1" if has_nginx else ""}
    if server:
        more["DATABASE_URL"] = stack.enter_context(server.database())
    miner = stack.enter_context(running(data, fake_chutes, *settings, migrated=migrated, **more))
    (web,) = miner.webs([{}])
    miner.worker()
    url = stack.enter_context(Nginx.started(web.url)).url if has_nginx else web.url
    return Instance(url, miner, web, server)
