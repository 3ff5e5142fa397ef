"""A Postgres server that stops answering while its connections stay open, a pooler that hangs, and a row that another connection has locked."""

import os
import subprocess
import sys

import httpx
import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.postgres import PostgresServer
from minerpanel.tests.processes import ROOT, Miner, answered, environment, post_at_once, step_body, wait_until
from minerpanel.tests.visitors import collect_static

DEADLINE = 60
STEPS = 40


@pytest.mark.slow
def test_steps_are_answered_in_time_while_postgres_is_stopped_and_all_facts_are_kept(
    postgres: PostgresServer, postgres_url: str, process_environment: dict[str, str]
) -> None:
    collect_static()
    with (
        FakeChutes.started() as fake_chutes,
        Miner.running(environment(process_environment, fake_chutes, DATABASE_URL=postgres_url)) as miner,
    ):
        miner.manage("miner_settings", f"deadline_seconds={DEADLINE}", "spacing_seconds=0")
        url = miner.web()
        post_at_once([url], [step_body()])  # reads the deadline, and leaves a connection open
        with postgres.stopped():
            answers = post_at_once([url], [step_body(number) for number in range(1, STEPS // 2)])
            answers += [post_at_once([url], [step_body(number)])[0] for number in range(STEPS // 2, STEPS)]
            page = httpx.get(f"{url}/login/", cookies={"minerpanel_session": "a" * 32}, timeout=60)
            ready = httpx.get(f"{url}/health/ready", timeout=60)
            health = httpx.get(f"{url}/health", timeout=60).json()
        assert health["status"] == "healthy"
        assert all(answered(response) for _, response in answers)
        assert max(seconds for seconds, _ in answers) < DEADLINE
        assert (page.status_code, ready.status_code) == (503, 503)
        assert "The database does not answer" in page.text
        wait_until(lambda: miner.rows("SELECT count(*) FROM agents_step") == [(STEPS,)], "facts are missing")
        assert miner.rows("SELECT count(*) FROM agents_step WHERE answered_at > deadline_at") == [(0,)]
        spooled = miner.rows("SELECT DISTINCT reason, limits->>'deadline_seconds' FROM agents_step WHERE spooled")
        assert [(reason, float(seconds)) for reason, seconds in spooled] == [("database", DEADLINE)], "the deadline that was set holds"
        wait_until(lambda: ready_again(url), "the breaker stays open")
        post_at_once([url], [step_body(STEPS)])
        assert miner.rows("SELECT spooled, route FROM agents_step ORDER BY id DESC LIMIT 1") == [(False, "llm")]


def ready_again(url: str) -> bool:
    return httpx.get(f"{url}/health/ready", timeout=60).status_code == 200


HUNG_POOLER = """
import os, socket, threading, time
from urllib.parse import urlsplit

class Pooler:
    '''Hands on what comes, until it hangs: then it still accepts connections.'''

    def __init__(self, target):
        self.target, self.flows, self.listener = target, threading.Event(), socket.create_server(("127.0.0.1", 0))
        self.flows.set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.flows.wait()
        server = socket.create_connection(self.target)
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self.forward, args=(source, target), daemon=True).start()

    def forward(self, source, target):
        try:
            while data := source.recv(65536):
                self.flows.wait()
                target.sendall(data)
        except OSError:
            pass
        target.close()

real = urlsplit(os.environ["DATABASE_URL"])
pooler = Pooler((real.hostname, real.port))
os.environ["DATABASE_URL"] = real._replace(netloc=f"{real.username}@127.0.0.1:{pooler.listener.getsockname()[1]}").geturl()

import django, psycopg
django.setup()
from django.db import DatabaseError, OperationalError, connection
from agents import database
from agents.models import Settings

database.RETRY_SECONDS, database.ANSWERING_PATIENCE, database.QUERY_PATIENCE = 0.1, 1.5, 3.0

def outcome(query):
    try:
        query()
    except OperationalError as error:
        return type(error).__name__
    return "answered"

def write():
    with database.answering_transaction():
        Settings.objects.count()

def write_busy():
    with database.answering_transaction():
        Settings.objects.select_for_update().first()

def write_late():
    with database.answering_transaction():
        time.sleep(3.5)  # a busy processor: no fault of the database
        Settings.objects.count()

with psycopg.connect(real.geturl()) as other:
    other.execute("LOCK TABLE agents_settings IN EXCLUSIVE MODE")
    print(outcome(write_busy), database.breaker.is_open)
print(outcome(write), outcome(Settings.current), outcome(write_late))
used = connection.connection
pooler.flows.clear()
print(outcome(write), used.closed, outcome(write), database.breaker.is_silent)
started = time.monotonic()
print(outcome(Settings.current), time.monotonic() - started < 3)  # a page: at once, from the cache
database.breaker.close()
print(outcome(Settings.current))  # not cached: its own bound
pooler.flows.set()
print(outcome(write))
print(outcome(lambda: connection.cursor().execute("SELECT pg_sleep(60)")))  # closed: the answer to come belongs to no query
connection.close()
with database.unbounded():
    print(outcome(lambda: connection.cursor().execute("SELECT pg_sleep(3.5)")))
with connection.schema_editor() as editor:
    editor.execute("SELECT pg_sleep(3.5)")
print("migrated")
"""


@pytest.mark.slow
def test_a_busy_row_opens_no_breaker_and_a_hung_pooler_costs_one_bounded_wait_and_its_connection(
    postgres_url: str, process_environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HUNG_POOLER],
        cwd=ROOT,
        env={**os.environ, **process_environment, "DATABASE_URL": postgres_url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    text = [line for line in done.stdout.splitlines() if not line.startswith("20")]
    assert text == [
        "OperationalError False",
        "answered answered answered",
        "OperationalError True Untried True",
        "OperationalError True",
        "OperationalError",
        "answered",
        "OperationalError",
        "answered",
        "migrated",
    ], done.stdout + done.stderr
