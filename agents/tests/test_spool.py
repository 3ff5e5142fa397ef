"""Facts that wait in files for the database: written once, oldest first, and never behind a broken one."""

from __future__ import annotations

import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from agents import ledger, runner, spool
from agents.configuration import default_account
from agents.facts import AttemptEnd, Closing, StepFacts, opening
from agents.governor import Limits
from agents.models import Caller, Gate, LLMAttempt, RateLimitEvent, Source, Step
from agents.protocol import Form
from agents.protocol import Step as Request
from agents.reasons import Reason, Verdict
from agents.standin.process import StandIn

pytestmark = pytest.mark.django_db(transaction=True)

NOW = 1_790_000_000.0


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "spool"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drained in the background."""
    monkeypatch.setattr(spool, "drain_soon", lambda: None)


def facts(index: int = 0, attempt: AttemptEnd | None = None, **more: Any) -> StepFacts:
    step = Request("/step", Form.STEP, "t", "Log in als Jörg 🔑", "http://localhost:8000/?seed=58", index=index)
    begun = opening(
        step, source=Source.VALIDATOR, caller="192.0.2.7", received_at=NOW + index, deadline_at=NOW + 25, page_excerpt="", limits={}
    )
    closing = Closing(route="template", reason=Reason.DATABASE, answered_at=NOW + index + 1, duration=1.0, attempt=attempt, **more)
    return StepFacts(begun, closing)


def waiting(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


def indexes() -> list[int]:
    return list(Step.objects.order_by("id").values_list("index", flat=True))


def test_facts_survive_the_way_through_a_file() -> None:
    end = AttemptEnd(uid="u", verdict=Verdict.OK, ended_at=1.5, sent_at=1.25, accepted=True, cost="0.00000001", reply="„ja“ 🔑")
    for whole in (facts(), facts(attempt=end, actions=[{"type": "WaitAction", "time_seconds": 1}], done=True, fault="Traceback")):
        assert StepFacts.from_json(whole.to_json()) == whole


def test_even_text_that_no_encoding_takes_is_kept() -> None:
    odd = facts(fault="\ud800\0")
    assert StepFacts.from_json(odd.to_json().encode().decode()) == odd


@pytest.mark.usefixtures("quiet")
def test_a_file_is_readable_by_its_owner_alone(folder: Path) -> None:
    spool.add(facts())
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert waiting(folder) == [".json"]


@pytest.mark.usefixtures("quiet")
def test_what_waits_is_written_oldest_first_and_is_gone_then(folder: Path) -> None:
    assert not spool.is_waiting()
    assert spool.drain() == 0
    for index in (2, 0, 1):
        spool.add(facts(index))
    assert spool.is_waiting()
    assert spool.drain() == 3
    assert indexes() == [2, 0, 1]
    assert set(Step.objects.values_list("spooled", "route", "reason")) == {(True, "template", "database")}
    assert not spool.is_waiting()
    assert waiting(folder) == []


@pytest.mark.usefixtures("quiet")
def test_facts_that_are_written_already_are_not_written_again() -> None:
    whole = facts()
    ledger.close_step(whole, Limits())
    spool.add(whole)
    assert spool.drain() == 1
    assert indexes() == [0]
    assert Caller.objects.get().steps == 1


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"closing": "x"}',
        b'{"closing": {}, "opening": {}}',
        b"[" * 100_000,
        facts(attempt=AttemptEnd(uid="00000000-0000-4000-8000-000000000000", verdict="ok", ended_at=NOW)).to_json().encode(),
        facts(attempt=AttemptEnd(uid="no uid", verdict="ok", ended_at=NOW)).to_json().encode(),
        facts(fault="\ud800").to_json().encode(),
        replace(facts(), closing=replace(facts().closing, answered_at=1e300)).to_json().encode(),
        replace(facts(), closing=replace(facts().closing, route="")).to_json().encode(),
        replace(facts(), opening=replace(facts().opening, uid="no uid")).to_json().encode(),
        replace(facts(), opening=replace(facts().opening, received_at="now")).to_json().encode(),  # type: ignore[arg-type]
    ],
)
@pytest.mark.usefixtures("quiet")
def test_a_broken_file_is_set_aside_and_does_not_block_the_others(folder: Path, broken: bytes, caplog: pytest.LogCaptureFixture) -> None:
    folder.mkdir()
    (folder / "1-broken.json").write_bytes(broken)
    spool.add(facts(1))
    assert spool.drain() == 1
    assert indexes() == [1]
    assert (folder / "1-broken.bad").read_bytes() == broken
    assert waiting(folder) == [".bad"]
    assert not spool.is_waiting()
    assert "1-broken.json can't be written. They are kept as .bad." in caplog.text


@pytest.mark.usefixtures("quiet")
def test_two_drainers_at_once_write_each_step_once(folder: Path) -> None:
    for index in range(12):
        spool.add(facts(index))
    begin = threading.Barrier(4)

    def drain(_: int) -> int:
        begin.wait()
        try:
            return spool.drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(drain, range(4)))
    assert sum(written) + spool.drain() == 12
    assert indexes() == list(range(12))
    assert Caller.objects.get().steps == 12
    assert waiting(folder) == []


@pytest.mark.usefixtures("quiet", "no_database")
def test_while_the_database_refuses_everything_stays_where_it_is(folder: Path) -> None:
    spool.add(facts())
    with pytest.raises(OperationalError):
        spool.drain()
    assert waiting(folder) == [".json"]


def test_what_was_added_is_written_in_the_background(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "RETRY_SECONDS", 0.01)
    spool.add(facts())
    over = time.monotonic() + 30
    while any(thread.name == "spool" for thread in threading.enumerate()):
        assert time.monotonic() < over
        time.sleep(0.01)
    assert indexes() == [0]
    assert waiting(folder) == []


def test_nothing_is_sent_while_facts_wait(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drained: list[bool] = []
    monkeypatch.setattr(spool, "drain_soon", lambda: drained.append(True))
    with StandIn.started() as standin:
        settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = standin.key, standin.base_url, ("Qwen/Qwen3-32B-TEE",)
        step = Request("/step", Form.STEP, "t", "Log out", "http://localhost:8000/?seed=58")
        spool.add(facts())
        assert runner.answer(step, source=Source.VALIDATOR, caller=None).actions
        assert not standin.state()["arrivals"]
        assert drained == [True, True], "the step that met waiting facts looks for them again"
        spool.drain()
        runner.answer(step, source=Source.VALIDATOR, caller=None)
        assert len(standin.state()["arrivals"]) == 1
    assert list(Step.objects.order_by("received_at").values_list("route", "reason"))[-2:] == [("template", "database"), ("llm", "answered")]


@pytest.mark.usefixtures("quiet")
def test_a_refusal_that_waited_so_long_that_its_attempt_was_given_up_for_lost_still_pauses_the_account() -> None:
    whole = facts()
    request = ledger.Request(default_account(), Limits(), NOW + 20, ("m",))
    permit = ledger.open_step(whole.opening, [request], Reason.NO_MODEL, lambda: NOW)
    assert permit.attempt_uid
    LLMAttempt.objects.update(verdict=Verdict.LOST, ended_at="2026-09-21T00:00:00Z")
    end = AttemptEnd(uid=permit.attempt_uid, verdict=Verdict.REFUSED, ended_at=NOW + 1, sent_at=NOW, status=429, refusal="edge")
    spool.add(replace(whole, closing=replace(whole.closing, reason=Reason.REFUSED, attempt=end)))
    assert spool.drain() == 1
    assert LLMAttempt.objects.get().verdict == Verdict.REFUSED
    assert (Gate.objects.get().strikes, RateLimitEvent.objects.get().refusal) == (1, "edge")
