"""Facts that wait in files for the database: written once, oldest first, and not blocked by a broken one."""

import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from agents import ledger
from agents.configuration import default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request
from agents.contract.step_facts import AttemptEnd, Closing, StepFacts, opening
from agents.database import answering_transaction
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner, spool
from agents.models import Caller, Gate, LLMAttempt, RateLimitEvent, Source, Step
from agents.policy.gate import Limits
from agents.policy.reasons import Reason, Verdict

pytestmark = pytest.mark.django_db(transaction=True)

NOW = 1_790_000_000.0
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    spool._memory.__init__()  # type: ignore[misc]
    return tmp_path / "spool"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drained in the background."""
    monkeypatch.setattr(spool, "drain_soon", lambda: None)


def facts(index: int = 0, attempt: AttemptEnd | None = None, **more: Any) -> StepFacts:
    step = Request("/step", Form.STEP, "t", "Log in als Jörg 🔑", "http://localhost:8000/?seed=58", index=index)
    begun = opening(step, source=Source.VALIDATOR, caller="192.0.2.7", received_at=NOW + index, deadline_at=NOW + 25, limits={})
    closing = Closing(route="template", reason=Reason.DATABASE, answered_at=NOW + index + 1, duration=1.0, attempt=attempt, **more)
    return StepFacts(begun, closing)


def waiting(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file())


def indexes() -> list[int]:
    return list(Step.objects.order_by("id").values_list("index", flat=True))


def test_facts_are_the_same_after_a_file() -> None:
    end = AttemptEnd(uid="u", verdict=Verdict.OK, ended_at=1.5, sent_at=1.25, accepted=True, cost="0.00000001", reply="„ja“ 🔑")
    for whole in (facts(), facts(attempt=end, actions=[{"type": "WaitAction", "time_seconds": 1}], done=True, fault="Traceback")):
        assert StepFacts.from_json(whole.to_json()) == whole


def test_text_that_can_not_be_encoded_is_kept() -> None:
    odd = facts(fault="\ud800\0")
    assert StepFacts.from_json(odd.to_json().encode().decode()) == odd


@pytest.mark.usefixtures("quiet")
def test_a_file_is_readable_by_its_owner_alone(folder: Path) -> None:
    spool.add(facts())
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert waiting(folder) == [".json"]


@pytest.mark.usefixtures("quiet")
def test_waiting_facts_are_written_oldest_first_and_removed(folder: Path) -> None:
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
def test_while_the_database_fails_everything_stays_in_the_spool(folder: Path) -> None:
    spool.add(facts())
    with pytest.raises(OperationalError):
        spool.drain()
    assert waiting(folder) == [".json"]


def test_added_facts_are_written_in_the_background(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "RETRY_SECONDS", 0.01)
    spool.add(facts())
    over = time.monotonic() + 90
    while any(thread.name == "spool" for thread in threading.enumerate()):
        assert time.monotonic() < over
        time.sleep(0.01)
    assert indexes() == [0]
    assert waiting(folder) == []


def test_nothing_is_sent_while_facts_of_an_attempt_wait(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drained: list[bool] = []
    monkeypatch.setattr(spool, "drain_soon", lambda: drained.append(True))
    with FakeChutes.started() as fake_chutes:
        settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = (
            fake_chutes.key,
            fake_chutes.base_url,
            ("Qwen/Qwen3-32B-TEE",),
        )
        step = Request("/step", Form.STEP, "t", "Log out", "http://localhost:8000/?seed=58")
        spool.add(opened_and_ended())
        assert runner.answer(step, source=Source.VALIDATOR, caller=None).plan.actions
        assert not fake_chutes.state()["arrivals"]
        assert drained == [True, True], "a step that finds waiting facts starts the draining again"
        spool.drain()
        runner.answer(step, source=Source.VALIDATOR, caller=None)
        assert len(fake_chutes.state()["arrivals"]) == 1
    assert list(Step.objects.order_by("received_at").values_list("route", "reason"))[-2:] == [("template", "database"), ("llm", "answered")]


@pytest.mark.usefixtures("quiet")
def test_facts_without_an_attempt_hold_up_the_steps_of_their_own_task_alone() -> None:
    spool.add(facts(1))
    same, other = (Request("/step", Form.STEP, name, "Log in als Jörg 🔑", "http://localhost:8000/?seed=58", index=2) for name in "to")
    runner.answer(same, source=Source.VALIDATOR, caller="192.0.2.7")
    runner.answer(other, source=Source.VALIDATOR, caller="192.0.2.7")
    assert list(Step.objects.values_list("task__key", "spooled")) == [("o", False)]
    assert spool.drain() == 2
    assert list(Step.objects.filter(task__key="t").order_by("id").values_list("index", flat=True)) == [1, 2]
    runner.answer(same, source=Source.VALIDATOR, caller="192.0.2.7")
    assert Step.objects.filter(spooled=False).count() == 2


@pytest.mark.usefixtures("quiet")
def test_facts_of_attempts_are_written_first() -> None:
    for index in range(3):
        spool.add(facts(index))
    spool.add(opened_and_ended())
    written: list[str] = []
    spool_write = spool._write

    def write(path: Path) -> bool:
        written.append(path.parent.name)
        return spool_write(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "_write", write)
        assert spool.drain() == 4
    assert written == ["attempts", "spool", "spool", "spool"]


@pytest.mark.usefixtures("quiet")
def test_facts_that_are_not_written_in_time_keep_waiting() -> None:
    for index in range(3):
        spool.add(facts(index))
    assert spool.drain(-1.0) == 0
    assert spool.waiting() == 3
    assert spool.drain() == 3


@pytest.mark.long
@pytest.mark.usefixtures("quiet")
def test_other_writes_succeed_while_the_spool_is_written() -> None:
    for index in range(40):
        spool.add(facts(index))
    drained, counts = threading.Event(), list[int]()

    def write_on() -> None:
        while not drained.is_set():
            with answering_transaction():
                counts.append(Step.objects.count())
        connection.close()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        assert spool.drain() == 40
    finally:
        drained.set()
        writer.join()
    assert len({count for count in counts if 0 < count < 40}) > 10, "between the writes of the spool, not after them"


def opened_and_ended() -> StepFacts:
    """A step whose attempt is open on record and ended meanwhile."""
    whole = facts(7)
    request = ledger.Request(default_account(), Limits(), NOW + 20, ("m",))
    permit = ledger.open_step(whole.opening, [request], lambda: NOW)
    assert permit.attempt_uid
    end = AttemptEnd(uid=permit.attempt_uid, verdict=Verdict.GIVEN_UP, ended_at=NOW + 1)
    return replace(whole, closing=replace(whole.closing, attempt=end))


@pytest.mark.usefixtures("quiet")
def test_a_full_spool_takes_no_more_and_counts_what_is_lost(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(spool, "MAX_BYTES", 3 * spool.BLOCK)
    for index in range(5):
        spool.add(facts(index))
    assert spool.used() == 3 * spool.BLOCK
    assert spool.lost() == 2
    assert "the spool has" in caplog.text
    assert spool.drain() == 3
    monkeypatch.setattr(spool, "RETRY_SECONDS", 0.0)
    spool.add(facts(5))
    assert spool.used() == spool.BLOCK, "room is counted again where files were written"
    assert spool.lost() == 2


@pytest.mark.usefixtures("quiet")
def test_partial_files_of_dead_processes_are_removed(folder: Path) -> None:
    folder.mkdir()
    old, young = folder / "1-x.json.part", folder / "2-x.json.part"
    for partial in (old, young):
        partial.write_text("{")
    os.utime(old, (1.0, 1.0))
    assert spool.drain() == 0
    assert not old.exists()
    assert young.exists(), "its process may be writing it"


FULL_DISK = """
import resource, signal
import django
django.setup()
from agents.hybrid import spool
from agents.tests.hybrid.test_spool import facts
spool.drain_soon = lambda: None
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for index in range(3):
    spool.add(facts(index))
print(spool.lost(), [path.name for path in spool._folder().rglob("*") if path.is_file()])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.add(facts(3))
spool._record_lost()
print(spool.lost(), spool._memory.lost, len(list(spool._folder().glob("*.json"))))
"""


@pytest.mark.long
def test_with_a_full_disk_no_partial_files_stay_and_lost_steps_are_counted(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    assert [line for line in done.stdout.splitlines() if not line.startswith("20")] == ["3 []", "3 0 1"]


@pytest.mark.usefixtures("quiet")
def test_a_spooled_refusal_pauses_the_account_even_after_its_attempt_was_closed_as_lost() -> None:
    whole = facts()
    request = ledger.Request(default_account(), Limits(), NOW + 20, ("m",))
    permit = ledger.open_step(whole.opening, [request], lambda: NOW)
    assert permit.attempt_uid
    LLMAttempt.objects.update(verdict=Verdict.LOST, ended_at="2026-09-21T00:00:00Z")
    end = AttemptEnd(uid=permit.attempt_uid, verdict=Verdict.REFUSED, ended_at=NOW + 1, sent_at=NOW, status=429, refusal="edge")
    spool.add(replace(whole, closing=replace(whole.closing, reason=Reason.REFUSED, attempt=end)))
    assert spool.drain() == 1
    assert LLMAttempt.objects.get().verdict == Verdict.REFUSED
    assert (Gate.objects.get().strikes, RateLimitEvent.objects.get().refusal) == (1, "edge")
