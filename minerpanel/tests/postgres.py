"""A Postgres server of a test's or a benchmark's own, on a free port of loopback."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from minerpanel.tests.processes import NotInstalled, free_port

FOLDERS = "/usr/lib/postgresql/*/bin"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server: `url` up to its databases' names, `folder` with its data and log."""

    url: str
    folder: Path

    @classmethod
    @contextmanager
    def started(cls) -> "Iterator[PostgresServer]":
        """Stopped and removed at the end. Raises NotInstalled."""
        initdb, pg_ctl = program("initdb"), program("pg_ctl")
        if initdb is None or pg_ctl is None:
            raise NotInstalled("Postgres is not installed. Run: sudo apt-get install postgresql")
        with tempfile.TemporaryDirectory(prefix="minerpanel-postgres-", ignore_cleanup_errors=True) as folder:
            as_owner, port = _owner(folder), free_port()
            options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
            _run([*as_owner, initdb, "-D", f"{folder}/data", "-U", "panel", "-A", "trust"])
            _run([*as_owner, pg_ctl, "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start"])
            server = cls(f"postgres://panel@127.0.0.1:{port}", Path(folder))
            try:
                yield server
            finally:
                server.signal(signal.SIGCONT)
                _run([*as_owner, pg_ctl, "-D", f"{folder}/data", "-m", "immediate", "stop"])

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, a copy of `template`; dropped at the end."""
        name = f"own_{time.time_ns()}"
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as database:
            database.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
            yield f"{self.url}/{name}"
            database.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It answers nothing while its connections stay open."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and to all its processes."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (main, *map(int, children)):
            os.kill(process, number)


def program(name: str) -> str | None:
    """The path of one of Postgres' server programs, wherever the distribution keeps them."""
    folders = sorted(Path("/").glob(FOLDERS.lstrip("/")), reverse=True)
    return shutil.which(name) or next((str(folder / name) for folder in folders if (folder / name).exists()), None)


def _owner(folder: str) -> list[str]:
    """What to put before a server program: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return []
    owner = pwd.getpwnam("postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=300)
