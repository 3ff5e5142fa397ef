"""An account's remaining quota, read by real workers from a management host while a web process answers."""

import time

import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import Miner, answered, post_at_once, step_body, wait_until

MODEL = "Qwen/Qwen3-32B-TEE"
QUEUE_MANY = "from django_q.tasks import async_task; [async_task('agents.jobs.read_quotas', save=False) for _ in range(6)]"
SUBSCRIPTION = "/users/me/subscription_usage"
# When fake Chutes' window resets, in seconds from its start.
WINDOW = 7_000.0


def environment(process_environment: dict[str, str], fake_chutes: FakeChutes) -> dict[str, str]:
    keys = {"CHUTES_API_KEY": fake_chutes.key, "CHUTES_ADMIN_KEY": fake_chutes.admin_key}
    urls = {"CHUTES_BASE_URL": fake_chutes.base_url, "CHUTES_MANAGEMENT_URL": fake_chutes.management_url}
    return {**process_environment, **keys, **urls, "CHUTES_MODELS": MODEL}


def read_paths(fake_chutes: FakeChutes) -> list[str]:
    return [request["path"] for request in fake_chutes.state()["arrivals"] if request["path"].startswith("/users")]


@pytest.mark.slow
def test_a_reached_cap_pauses_until_its_own_reset_and_is_not_read_too_often(process_environment: dict[str, str]) -> None:
    with FakeChutes.started() as fake_chutes, Miner.running(environment(process_environment, fake_chutes)) as miner:
        fake_chutes.set(cap4h={"cap": 1.0, "used": 1.0, "reset_at": WINDOW})
        url = miner.web()
        ((_, response),) = post_at_once([url], [step_body()])
        assert answered(response)
        assert read_paths(fake_chutes) == [], "the step did not wait for the reading"
        assert miner.rows("SELECT pause_source, cause FROM agents_gate") == [("calendar", "subscription_cap")]
        for _ in range(2):
            miner.worker()
        wait_until(lambda: miner.rows("SELECT pause_source FROM agents_gate") == [("subscription",)], "the pause does not move")
        ((paused_until,),) = miner.rows("SELECT paused_until FROM agents_gate")
        assert paused_until == pytest.approx(time.time() - fake_chutes.state()["uptime"] + WINDOW, abs=60)
        miner.manage("shell", "--command", QUEUE_MANY)
        wait_until(lambda: miner.rows("SELECT count(*) FROM django_q_ormq") == [(0,)], "the queue is not worked off")
        paths = read_paths(fake_chutes)
        assert SUBSCRIPTION in paths and len(paths) == len(set(paths)), "the next reading is due in five minutes"
        held = b"".join(path.read_bytes() for path in miner.database_file.parent.glob("panel.sqlite3*"))
        assert fake_chutes.admin_key.encode() not in held


def test_a_worker_makes_due_readings_at_its_start(process_environment: dict[str, str]) -> None:
    with FakeChutes.started() as fake_chutes, Miner.running(environment(process_environment, fake_chutes)) as miner:
        fake_chutes.set(balance=2.5, quota={"total": 300, "used": 181})
        miner.manage("shell", "--command", "from agents.configuration import default_account; default_account()")
        miner.worker()
        row = wait_until(
            lambda: miner.rows("SELECT balance, daily_total, daily_used FROM agents_quotareading WHERE fault = ''"), "no reading"
        )
        assert row == [(2.5, 300.0, 181.0)]
