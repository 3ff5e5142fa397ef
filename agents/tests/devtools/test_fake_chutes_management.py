"""Fake Chutes' management API and its scenarios, from a real process over real HTTP."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.devtools.fake_chutes.process import FakeChutes

PATIENCE = 60.0
GEMMA = "google/gemma-4-31B-turbo-TEE"
BODY = {"model": GEMMA, "messages": [{"role": "user", "content": "Task: Search\nURL: http://localhost:8000/?seed=58"}]}
ADMIN_PATHS = ("/users/me", "/users/me/quotas", "/users/me/quota_usage/*", "/users/me/subscription_usage")


def get(fake_chutes: FakeChutes, path: str, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.get(fake_chutes.management_url + path, headers=headers, timeout=PATIENCE, trust_env=False)


def get_json(fake_chutes: FakeChutes, path: str) -> Any:
    answer = get(fake_chutes, path, fake_chutes.admin_key)
    assert answer.status_code == 200
    return answer.json()


def complete(fake_chutes: FakeChutes, key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or fake_chutes.key}"}
    return httpx.post(fake_chutes.base_url + "/chat/completions", json=BODY, headers=headers, timeout=PATIENCE, trust_env=False)


@pytest.mark.parametrize("path", ADMIN_PATHS)
def test_a_key_without_admin_rights_is_refused_like_a_wrong_one(fake_chutes: FakeChutes, path: str) -> None:
    answers = [get(fake_chutes, path, key) for key in (fake_chutes.key, "cpk_wrong", None)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, '{"detail": "Invalid or expired token"}')}
    assert get(fake_chutes, path, fake_chutes.admin_key).status_code == 200


def test_an_admin_key_may_invoke_too(fake_chutes: FakeChutes) -> None:
    assert complete(fake_chutes, fake_chutes.admin_key).status_code == 200


def test_the_balance_falls_as_it_is_billed(fake_chutes: FakeChutes) -> None:
    assert get_json(fake_chutes, "/users/me")["balance"] == 0
    fake_chutes.set(balance=2.5)
    before = get_json(fake_chutes, "/users/me")
    assert (before["balance"], set(before) >= {"username", "user_id"}) == (2.5, True)
    complete(fake_chutes)
    assert get_json(fake_chutes, "/users/me")["balance"] < 2.5


def test_quotas_are_listed(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 300})
    entry = get_json(fake_chutes, "/users/me/quotas")[0]
    assert (entry["chute_id"], entry["quota"], "effective_date" in entry) == ("*", 300, True)


@pytest.mark.parametrize("path", ["/users/me/quota_usage/*", "/users/me/quota_usage/%2A"])
def test_the_quotas_usage_counts(fake_chutes: FakeChutes, path: str) -> None:
    fake_chutes.set(quota={"total": 300, "used": 180})
    complete(fake_chutes)
    assert get_json(fake_chutes, path) == {"quota": 300, "used": 181.0}
    fake_chutes.set(quota=None, balance=1)
    assert get_json(fake_chutes, path)["quota"] == "unlimited"


def test_the_subscription_shows_its_windows_and_reset_times(fake_chutes: FakeChutes) -> None:
    assert get_json(fake_chutes, "/users/me/subscription_usage") == {"subscription": False}
    fake_chutes.set(cap4h={"cap": 1.0, "used": 0.5, "cost": 0.25, "reset_at": 900})
    complete(fake_chutes)
    usage = get_json(fake_chutes, "/users/me/subscription_usage")
    window = usage["four_hour"]
    assert (window["usage"], window["cap"], window["remaining"]) == (0.75, 1.0, 0.25)
    began_at = time.time() - fake_chutes.state()["uptime"]
    assert datetime.fromisoformat(window["reset_at"]).timestamp() == pytest.approx(began_at + 900, abs=60)
    assert usage["monthly"]["uncapped"]
    fake_chutes.set(monthly_reset_at=-3600)
    monthly = get_json(fake_chutes, "/users/me/subscription_usage")["monthly"]
    assert datetime.fromisoformat(monthly["reset_at"]).timestamp() < time.time()


def test_a_month_that_is_used_up_refuses_like_a_used_up_window_until_it_ends(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(cap4h={"cap": 1.0}, monthly_reset_at=900, monthly_used=100)
    assert (complete(fake_chutes).status_code, complete(fake_chutes).json()) == (
        402,
        {"detail": "Subscription usage cap exceeded. Please add balance to continue."},
    )
    usage = get_json(fake_chutes, "/users/me/subscription_usage")
    assert (usage["monthly"]["remaining"], usage["four_hour"]["remaining"]) == (0, 1)
    fake_chutes.set(monthly_reset_at=-1)
    assert complete(fake_chutes).status_code == 200


def test_a_path_of_the_management_host_can_be_made_to_refuse_alone(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(refuse_management={"/users/me/quota_usage/*": {"status": 429, "html": "<html>429</html>"}})
    assert get(fake_chutes, "/users/me/quota_usage/%2A", fake_chutes.admin_key).status_code == 429
    assert get(fake_chutes, "/users/me", fake_chutes.admin_key).status_code == 200
    assert fake_chutes.state()["settings"]["refuse_management"]["/users/me/quota_usage/*"]["status"] == 429
    fake_chutes.set(refuse_management={})
    assert get(fake_chutes, "/users/me/quota_usage/*", fake_chutes.admin_key).status_code == 200


def test_a_banned_account_can_still_be_read_but_not_written_to(fake_chutes: FakeChutes) -> None:
    fake_chutes.ban(60)
    assert get(fake_chutes, "/users/me", fake_chutes.admin_key).status_code == 200
    assert httpx.post(fake_chutes.management_url + "/users/me", json={}, timeout=PATIENCE, trust_env=False).status_code == 405
    assert fake_chutes.state()["arrivals"][-1]["path"] == "/users/me"


@pytest.mark.process
def test_a_scenarios_account_and_timeline_are_played(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    account = {"quota": {"total": 300, "used": 180, "reset_at": 3000}, "latency": 0.0}
    timeline = [{"at": 0, "ban": 3600}, {"at": 0, "set": {"limit": 6}}]
    file.write_text(json.dumps({"about": "…", "horizon": 60, "load": {"per_min": 3}, "account": account, "timeline": timeline}))
    with FakeChutes.started("--scenario", str(file), "--published", "inf") as fake_chutes:
        assert complete(fake_chutes).status_code == 429
        state = fake_chutes.state()
        began_at = time.time() - state["uptime"]
        assert state["account"]["banned_until"] == pytest.approx(began_at + 3600, abs=60)
        assert (state["settings"]["limit"], state["settings"]["published"], state["settings"]["ban"]["strikes"]) == (6, "inf", 5)
        listed = httpx.get(fake_chutes.base_url + "/models", timeout=PATIENCE, trust_env=False).json()["data"]
        assert [entry["id"] for entry in listed] == list(state["settings"]["models"])
        fake_chutes.set(limit=60)
        assert fake_chutes.reset()["settings"]["limit"] == 6
