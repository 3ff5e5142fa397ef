"""What-ifs: one at a time, worked out by one worker, taken up by another when that one dies, and never left hanging."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import Queue, Value
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.worker import worker

from agents import heartbeat, jobs, what_if
from agents.configuration import change
from agents.models import WhatIf
from agents.simulation import replay
from agents.standin.hidden import MODELS
from agents.standin.scenario import parse
from agents.tests import recording
from agents.tests.recording import recorded

pytestmark = pytest.mark.django_db(transaction=True)

State = WhatIf.State
SETTINGS = {"spacing_seconds": "2", "pacing": "fixed"}


def asked(**more: Any) -> WhatIf:
    return what_if.ask(**{"hours": 1, "settings": SETTINGS, "by": "ann", **more})


@pytest.fixture
def an_hour(settings: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Half an hour's records that ended a moment ago; how many LLM answers are among them."""
    settings.CHUTES_MODELS = MODELS
    monkeypatch.setattr(recording, "START", timezone.now().timestamp() - 1900)
    return recorded(parse({"horizon": 600, "load": {"every": [60, 60], "tasks": 4, "steps": 5}})).llm


def run_by_the_worker(queued: OrmQ) -> None:
    """What the cluster's worker does with a job of the queue, in this process."""
    tasks: Queue[Any] = Queue()
    results: Queue[Any] = Queue()
    tasks.put(SignedPackage.loads(queued.payload))
    tasks.put("STOP")
    worker(tasks, results, Value("f", -1))
    assert results.get()["success"]


def test_a_run_waits_in_the_queue_with_nothing_but_its_number() -> None:
    row = asked()
    assert (row.state, row.asked_by, row.hours, row.settings, row.progress) == ("queued", "ann", 1, SETTINGS, 0)
    job = OrmQ.objects.get().task
    assert (job["func"], job["args"]) == (what_if.JOB, (row.pk,))


def test_asking_while_one_is_under_way_returns_that_one() -> None:
    first = asked()
    assert asked(by="bob").pk == first.pk
    WhatIf.objects.update(state=State.RUNNING)
    assert asked(by="bob").pk == first.pk
    WhatIf.objects.update(state=State.DONE)
    assert asked(by="bob").pk != first.pk
    assert OrmQ.objects.count() == 2


def test_of_many_who_ask_at_once_all_get_the_same_run() -> None:
    begin = threading.Barrier(4)

    def ask(_: int) -> int:
        begin.wait()
        try:
            return asked().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
    assert (WhatIf.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_old_runs_are_forgotten() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    WhatIf.objects.bulk_create(WhatIf(asked_by="ann", asked_at=long_ago + timedelta(seconds=n), state=State.DONE) for n in range(60))
    row = asked()
    assert WhatIf.objects.count() == what_if.KEPT
    assert WhatIf.objects.order_by("-asked_at").first() == row
    assert WhatIf.objects.order_by("asked_at")[0].asked_at == long_ago + timedelta(seconds=11)


def test_the_worker_works_it_out_for_both_settings(an_hour: int) -> None:
    row = asked()
    run_by_the_worker(OrmQ.objects.get())
    row.refresh_from_db()
    assert (row.state, row.progress, row.fault, row.lease_until) == ("done", 100, "", None)
    assert row.before and row.after
    assert row.before["recorded_steps"] == row.before["steps"] == row.after["steps"]
    assert row.before["recorded_llm"] == an_hour
    assert row.before["llm"] == pytest.approx(an_hour, rel=0.1)
    assert row.after["llm"] > 1.3 * row.before["llm"], "a spacing of 2 s lets in more than one of 5 s"
    assert row.after["assumed"]
    assert not jobs.what_if(row.pk), "it is worked out once"


def test_progress_is_written_as_it_goes(an_hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, datetime | None]] = []
    row = asked()
    monkeypatch.setattr(what_if, "TOLD_EVERY", 0.0)
    tell = what_if._Claim.tell

    def watched(claim: what_if._Claim, start: float, done: float) -> None:
        tell(claim, start, done)
        seen.append(WhatIf.objects.values_list("state", "progress", "lease_until").get(pk=row.pk))

    monkeypatch.setattr(what_if._Claim, "tell", watched)
    assert an_hour and what_if.answer(row.pk)
    progress = [each[1] for each in seen]
    assert progress == sorted(progress)
    assert (len(set(progress)) > 50, progress[-1] >= 98) == (True, True)
    assert len({each[2] for each in seen}) == len(seen), "each word renews the lease"


def test_a_worker_that_lost_its_run_stops_and_has_not_the_last_word(an_hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    row = asked()
    monkeypatch.setattr(what_if, "TOLD_EVERY", 0.0)
    runs = []

    class Robbed(replay.Replay):
        def result(self) -> Any:
            runs.append(self)
            WhatIf.objects.update(lease_until=timezone.now() + timedelta(hours=1))
            return super().result()

    monkeypatch.setattr(replay, "Replay", Robbed)
    assert an_hour and not what_if.answer(row.pk)
    row.refresh_from_db()
    assert (row.state, row.before, len(runs)) == ("running", None, 1)


def test_a_run_that_is_cancelled_while_it_is_worked_out_stops(an_hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    row = asked()
    monkeypatch.setattr(what_if, "TOLD_EVERY", 0.0)
    runs = []

    class Cancelled(replay.Replay):
        def result(self) -> Any:
            runs.append(self)
            assert what_if.cancel(row.pk)
            return super().result()

    monkeypatch.setattr(replay, "Replay", Cancelled)
    assert an_hour and not what_if.answer(row.pk)
    row.refresh_from_db()
    assert (row.state, row.before, row.lease_until, len(runs)) == ("cancelled", None, None, 1)
    assert not what_if.cancel(row.pk)
    assert asked().pk != row.pk, "another can be asked for"


def test_settings_that_cannot_be_tried_are_named() -> None:
    row = asked(settings={"spacing_seconds": "soon"})
    assert what_if.answer(row.pk)
    row.refresh_from_db()
    assert (row.state, row.fault) == ("failed", "These settings can't be tried: spacing_seconds: a number from 0 is wanted")


def test_a_fault_ends_the_run_in_words(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    row = asked()
    monkeypatch.setattr(what_if, "SEEDS", "none")
    assert what_if.answer(row.pk)
    row.refresh_from_db()
    assert (row.state, row.fault) == ("failed", "A fault in the miner ended this run. The worker's log has its traceback.")
    assert "Traceback" in caplog.text
    assert not row.lease_until
    assert asked().pk != row.pk, "another can be asked for"


def test_a_time_in_which_nothing_came_is_worked_out_too() -> None:
    change({}, by=None, reason="test")
    row = asked()
    assert what_if.answer(row.pk)
    row.refresh_from_db()
    assert row.before and row.after
    assert (row.state, row.before["steps"], row.after["steps"]) == ("done", 0, 0)


def test_a_dead_workers_run_is_queued_again_once_its_lease_is_over() -> None:
    row, now = asked(), timezone.now()
    WhatIf.objects.update(state=State.RUNNING, progress=40, lease_until=now + timedelta(seconds=10))
    OrmQ.objects.all().delete()
    assert what_if.requeue_overdue(now) == 0
    assert what_if.requeue_overdue(now + timedelta(seconds=11)) == 1
    assert what_if.requeue_overdue(now + timedelta(seconds=12)) == 0, "it has just been queued"
    assert OrmQ.objects.get().task["args"] == (row.pk,)
    assert what_if.answer(row.pk)


def test_the_reconciler_takes_up_what_nobody_took() -> None:
    row = asked()
    OrmQ.objects.all().delete()
    jobs.reconcile()
    assert not OrmQ.objects.exists()
    WhatIf.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    jobs.reconcile()
    assert OrmQ.objects.get().task["args"] == (row.pk,)


def test_a_run_that_never_ends_is_given_up_with_the_remedy() -> None:
    row = asked()
    OrmQ.objects.all().delete()
    later = timezone.now() + what_if.GIVEN_UP_AFTER + timedelta(seconds=1)
    assert what_if.requeue_overdue(later) == 0
    row.refresh_from_db()
    assert (row.state, row.fault) == ("failed", what_if.NOT_ENDED)
    assert not OrmQ.objects.exists()


def test_a_run_under_way_counts_as_the_workers_sign_of_life() -> None:
    asked()
    assert heartbeat.newest_lease() is None
    WhatIf.objects.update(state=State.RUNNING)
    assert heartbeat.newest_lease() == WhatIf.objects.get().lease_until


def test_a_run_that_is_gone_is_nobodys() -> None:
    assert not what_if.answer(7)
