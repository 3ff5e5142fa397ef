"""Strangers may not stop the miner: the short version of each attack of `make bench ARGS=attack`, with real processes and honest callers."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.attack.rows import FREE, ROWS, played
from bench.miner import start
from minerpanel.tests.postgres import PostgresServer

pytestmark = pytest.mark.slow

# Bounds of seconds that only a quiet machine keeps to: the benchmark measures them.
ON_A_QUIET_MACHINE = ("p95 of", "the database is never", "costs at most", "is answered within")
# A row on an instance of its own takes some ten seconds to start; these leave the instance as it was.
ON_ONE_INSTANCE = ("prompts", "pages", "heavy", "sockets")
GROUPS = [("hung", "flood"), ("kills",), ("stranger", "missed")]


def broken(names: tuple[str, ...], **where: Any) -> list[str]:
    """The promises that do not hold, by row, those about seconds apart."""
    promises = [(name, promise) for name in names for promise in played(name, is_small=True, **where).broken]
    return [f"{name}: {promise}" for name, promise in promises if not any(part in promise for part in ON_A_QUIET_MACHINE)]


def test_each_attack_has_its_short_version_here() -> None:
    assert sorted((*ON_ONE_INSTANCE, *(name for group in GROUPS for name in group))) == sorted(ROWS)


def test_honest_callers_are_answered_while_requests_attack_the_miner(django_db_setup: Path) -> None:
    with ExitStack() as stack:
        assert broken(ON_ONE_INSTANCE, shared=start(stack, FREE, migrated=django_db_setup)) == []


@pytest.mark.parametrize("names", GROUPS, ids=" ".join)
def test_honest_callers_are_answered_while_the_machine_fails_them(names: tuple[str, ...], django_db_setup: Path) -> None:
    assert broken(names, starting=partial(start, migrated=django_db_setup)) == []


def test_honest_callers_are_answered_while_prompts_attack_a_miner_on_postgres(postgres: PostgresServer) -> None:
    assert broken(("prompts",), starting=partial(start, server=postgres)) == []


def test_steps_acknowledged_through_nginx_survive_a_kill(nginx: None, django_db_setup: Path) -> None:
    assert broken(("kills",), starting=partial(start, migrated=django_db_setup, has_nginx=True)) == []
