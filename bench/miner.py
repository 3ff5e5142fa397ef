"""The miner as a bench starts it: real processes on a database of their own, with fake Chutes as the provider."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import Miner, environment

OWN = {"DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10, "DJANGO_SETTINGS_MODULE": "minerpanel.settings"}


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
