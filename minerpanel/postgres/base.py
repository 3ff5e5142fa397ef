"""Django's Postgres backend; each wait for the server ends after the bound that `agents.database` sets.

`tcp_user_timeout`, keepalives and `statement_timeout` are not enough: the kernel of a stopped server still acknowledges what is sent, and a
pooler that hangs accepts connections. So the client stops waiting by itself, and closes a connection whose answer is overdue.
"""

import time
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base, schema
from psycopg.abc import RV, PQGen, PQGenConn
from psycopg.errors import ConnectionTimeout, _WaitTimeout

from agents import database

# psycopg's own: how often a wait is interrupted for signals and, here, for the bound, in seconds.
INTERVAL = 0.1
# Seconds. A working server answers `SELECT 1` in milliseconds; a visitor need not wait longer for the page that reports the failure.
PING_PATIENCE = 2.0


class BoundConnection(psycopg.Connection[Any]):
    """A connection that is closed where the server does not answer in time: what it answers later belongs to no query."""

    def wait(self, gen: PQGen[RV], interval: float = INTERVAL, timeout: float | None = None) -> RV:
        """Every query, commit and fetch comes through here. Raises OperationalError."""
        seconds = database.seconds_left()
        try:
            return super().wait(gen, interval, seconds if timeout is None else timeout)
        except _WaitTimeout:
            if timeout is not None:
                raise
            database.give_up()
            self.close()
            raise psycopg.OperationalError(f"The database did not answer within {seconds or 0.0:.1f} s.") from None

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> "PQGenConn[BoundConnection]":
        """As psycopg's, whose `connect_timeout` can't be shorter than 2 s."""
        if database.breaker.is_silent:
            raise ConnectionTimeout("The database did not answer a moment ago. It is tried again every few seconds.")
        seconds = database.seconds_left()
        if seconds == 0.0:  # Django connects again after a query that was not answered
            raise ConnectionTimeout("The database did not answer in time.")
        ends_at = None if seconds is None else time.monotonic() + seconds
        connecting = super()._connect_gen(conninfo)
        try:
            waits_for = next(connecting)
            while True:
                ready = yield waits_for
                if ends_at is not None and time.monotonic() >= ends_at:
                    raise ConnectionTimeout(f"The database accepted no connection within {seconds:.1f} s.")
                waits_for = connecting.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


class PatientSchemaEditor(schema.DatabaseSchemaEditor):
    """Migrations build indexes of large tables, so they have no time limit."""

    def __enter__(self) -> "PatientSchemaEditor":
        self._patience = database.unbounded()
        self._patience.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        try:
            super().__exit__(*error)
        finally:
            self._patience.__exit__(*error)


class DatabaseWrapper(base.DatabaseWrapper):
    # In place of the module psycopg, whose `connect` Django calls.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": BoundConnection.connect})  # type: ignore[assignment]
    SchemaEditorClass = PatientSchemaEditor

    def is_usable(self) -> bool:
        """Checked at a connection's first query in each request."""
        if database.breaker.is_silent:
            return False
        with database.ends_after(PING_PATIENCE):
            return bool(super().is_usable())
