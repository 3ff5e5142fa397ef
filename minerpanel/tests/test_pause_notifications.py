"""A pause from start to end, with real processes: it is notified, the account is tested again, the history shows both."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from lxml import html

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import Miner, answered, environment, moment, post_at_once, step_body, wait_until
from monitoring.testruns.suites.schedules import AFTER_PROBE
from monitoring.tests.reading import element_text
from monitoring.tests.receiver import Receiver, receiving

PASSWORD = "a-long-enough-password"
MAKE_ADMIN = """
from django.contrib.auth.models import Group, User
User.objects.create_user("ann", password="{}").groups.add(Group.objects.get(name="admins"))
"""
PAUSE = 3
EVENT = "SELECT predicted_at, recovered_at FROM agents_ratelimitevent WHERE model = '' AND ended_by = 'succeeded'"
RETEST = "SELECT id, requested_at FROM monitoring_testrun WHERE trigger = 'reset' AND state = 'succeeded'"


@contextmanager
def visiting(url: str) -> Iterator[httpx.Client]:
    """The panel, as the admin ann sees it."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60, headers={"Referer": url}) as visitor:
        visitor.get("/login/")
        posted(visitor, "/login/", username="ann", password=PASSWORD)
        yield visitor


def posted(visitor: httpx.Client, path: str, **fields: Any) -> None:
    answer = visitor.post(path, data={**fields, "csrfmiddlewaretoken": visitor.cookies["minerpanel_csrf"]})
    assert answer.status_code == 200 and str(answer.url) != f"{visitor.base_url}{path}", answer.text


def page_text(visitor: httpx.Client, path: str) -> str:
    return element_text(html.document_fromstring(visitor.get(path).text))


def titles(receiver: Receiver) -> list[str]:
    return [message["title"] for message in receiver.messages]


@pytest.mark.slow
def test_a_pause_is_notified_at_its_start_and_end_and_the_account_is_tested_then(
    process_environment: dict[str, str],
) -> None:
    with (
        FakeChutes.started() as fake_chutes,
        receiving() as receiver,
        Miner.running(environment(process_environment, fake_chutes, DEBUG="1")) as miner,
    ):
        miner.manage("miner_settings", f"backoff_seconds={PAUSE}")
        miner.manage("shell", "--command", MAKE_ADMIN.format(PASSWORD))
        url = miner.web()
        miner.worker()
        with visiting(url) as visitor:
            posted(
                visitor,
                "/notifications/channels/new/",
                name="hook",
                url=receiver.url,
                least_severity=1,
                resend_minutes=0,
                zone="UTC",
                enabled="on",
            )
            fake_chutes.ban(3600)
            assert answered(post_at_once([url], [step_body()])[0][1])
            wait_until(lambda: "LLM paused: account default" in titles(receiver), "no notification of the pause's start")
            fake_chutes.ban(0)
            wait_until(lambda: "LLM back: default" in titles(receiver), "no notification of the pause's end")
            assert titles(receiver).count("LLM paused: account default") == titles(receiver).count("LLM back: default") == 1
            ((predicted, recovered),) = miner.rows(EVENT)
            assert moment(recovered) >= moment(predicted), "nothing is sent before the pause is over"
            ((run, tested_at),) = wait_until(lambda: miner.rows(RETEST), "the account is not tested again")
            assert moment(tested_at) - moment(predicted) >= AFTER_PROBE.total_seconds()
            assert miner.rows(f"SELECT count(*) FROM monitoring_testresult WHERE run_id = {run} AND verdict = 'ok'")[0][0] > 0
            events = page_text(visitor, "/rate-limit/events/")
            assert "A request succeeded" in events, events
            messages = page_text(visitor, "/notifications/deliveries/?state=succeeded")
            assert "LLM back: default" in messages and "LLM paused: account default" in messages
