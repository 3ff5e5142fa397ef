"""Settings: changed by admins, validated, recorded with user, time, old and new value."""

import pytest
from django.test import Client

from agents.configuration import change
from agents.models import Settings
from monitoring.tests.reading import element_text, rows_of, text_of, tree_of

pytestmark = pytest.mark.django_db

GOOD = {
    "pacing": "auto",
    "risk": "cautious",
    "spacing_seconds": "2.5",
    "backoff_max_seconds": "600",
    "key_check_minutes": "5",
    "backoff_seconds": "30, 60 90",
    "deadline_seconds": "20",
    "agent_mode": "llm",
    "llm_use": "when_unsure",
    "sure_from": "0.9",
    "agent_id": "83",
    "max_task_usd": "0.02",
    "daily_attempts": "1000",
    "daily_usd": "2",
    "caller_daily_attempts": "100",
    "caller_daily_usd": "0.2",
    "allowed_callers": "10.0.0.0/8, 203.0.113.7",
    "blocked_callers": "0.0.0.0/0",
    "fetch_pages": "on",
    "fetch_hosts": "*.example.com, 10.0.0.0/8:80",
    "miner_api_url": "http://10.0.0.7:8080",
    "health_seconds": "30",
    "failures_before_down": "3",
    "silence_minutes": "60",
    "least_llm_percent": "50",
    "reason": "Quiet hours",
}


def test_an_admin_changes_the_settings(admin: Client) -> None:
    response = admin.post("/settings/", GOOD, follow=True)
    assert "Saved. It takes effect with the next step" in text_of(response)
    row = Settings.current()
    assert (row.pacing, row.risk) == ("auto", "cautious")
    assert (row.spacing_seconds, row.backoff_seconds, row.deadline_seconds) == (2.5, [30, 60, 90], 20)
    assert (row.llm_use, row.sure_from, row.max_task_usd) == ("when_unsure", 0.9, 0.02)
    assert (row.agent_mode, row.allowed_callers) == ("llm", ["10.0.0.0/8", "203.0.113.7"])
    assert (row.daily_attempts, row.daily_usd, row.caller_daily_attempts, row.caller_daily_usd) == (1000, 2, 100, 0.2)
    assert row.blocked_callers == ["0.0.0.0/0"]
    assert (row.fetch_pages, row.fetch_hosts) == (True, ["*.example.com", "10.0.0.0/8:80"])
    assert (row.agent_id, row.miner_api_url) == (83, "http://10.0.0.7:8080")
    assert (row.health_seconds, row.failures_before_down) == (30, 3)
    assert (row.silence_minutes, row.least_llm_percent, row.keep_info_logs) == (60, 50, False)


def test_a_change_is_in_the_history_with_user_and_old_and_new_value(admin: Client) -> None:
    admin.post("/settings/", GOOD)
    admin.post("/settings/", {**GOOD, "spacing_seconds": "3", "reason": ""})
    _, *rows = rows_of(admin.get("/settings/"))  # after the account's
    assert rows[0].endswith("one-of-admins Settings Spacing 2.5 s → 3 s Revert")
    assert "one-of-admins Settings" in rows[1] and "Quiet hours" in rows[1]
    for label in (
        "Spacing 5 s → 2.5 s",
        "Backoff 60, 120, 240, 480 s → 30, 60, 90 s",
        "Allowed callers none → 10.0.0.0/8, 203.0.113.7",
        "LLM is used For every step → Where the template is unsure",
        "Cost of a task 0.05 USD → 0.02 USD",
        "Silence 0 min → 60 min",
        "Least LLM share 0 % → 50 %",
    ):
        assert label in rows[1]


def test_a_change_from_the_command_line_is_labelled(viewer: Client) -> None:
    change({"spacing_seconds": 2}, by=None, reason="miner_settings")
    assert "Outside the panel Settings Spacing 5 s → 2 s miner_settings" in text_of(viewer.get("/settings/"))


def test_saving_without_a_change_leaves_no_trace(admin: Client) -> None:
    admin.post("/settings/", GOOD)
    admin.post("/settings/", GOOD)
    assert Settings.history.count() == 1


@pytest.mark.long
def test_a_value_out_of_range_is_refused_at_its_field(admin: Client) -> None:
    rows = [
        ("spacing_seconds", "-1", "greater than or equal to 0"),
        ("spacing_seconds", "nan", "Enter a number"),
        ("spacing_seconds", "", "required"),
        ("backoff_seconds", "60, soon", "“soon” is not a number"),
        ("backoff_seconds", "120, 60", "can't be shorter than the one before"),
        ("backoff_seconds", "0", "from 1 to 86400"),
        ("backoff_seconds", "inf", "not a number"),
        ("deadline_seconds", "2", "greater than or equal to 3"),
        ("agent_mode", "magic", "not one of the available choices"),
        ("llm_use", "never", "not one of the available choices"),
        ("sure_from", "1.5", "less than or equal to 1"),
        ("max_task_usd", "-1", "greater than or equal to 0"),
        ("allowed_callers", "everybody", "Write it as 10.0.0.0/8"),
        ("fetch_hosts", "everywhere/else", "Write it as demo.example.com"),
        ("miner_api_url", "the other one", "Enter a valid URL"),
        ("health_seconds", "9", "greater than or equal to 10"),
        ("health_seconds", "10.5", "Enter a whole number"),
        ("failures_before_down", "0", "greater than or equal to 1"),
        ("least_llm_percent", "101", "less than or equal to 100"),
        ("silence_minutes", "", "required"),
    ]
    failures = []
    for field, value, remedy in rows:
        response = admin.post("/settings/", {**GOOD, field: value})
        if remedy not in text_of(response, f"//*[@id='id_{field}_error']") or "Nothing is saved" not in text_of(response):
            failures.append((field, value))
    assert failures == []
    assert not Settings.objects.exists()


def test_a_viewer_sees_the_values_and_no_form(viewer: Client) -> None:
    change({"spacing_seconds": 7}, by=None, reason="")
    response = viewer.get("/settings/")
    assert not tree_of(response).xpath("//main//input | //main//button")
    assert "Spacing Seconds between two requests" in text_of(response)
    assert "7 s" in text_of(response)


def test_a_user_without_permission_is_refused(viewer: Client, operator: Client) -> None:
    for client in (viewer, operator):
        assert client.post("/settings/", GOOD).status_code == 403
    assert not Settings.objects.exists()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("probe_after_pause", "Probe after a pause"),
        ("retest_after_pause", "Test after a pause"),
        ("keep_info_logs", "Keep INFO records"),
    ],
)
def test_a_switch_is_put_on_and_off(name: str, label: str, admin: Client) -> None:
    admin.post("/settings/", GOOD)
    assert not getattr(Settings.current(), name)
    (switch,) = tree_of(admin.get("/settings/")).xpath(f"//*[contains(@class, 'form-switch')]/input[@name='{name}']")
    assert "checked" not in switch.attrib
    admin.post("/settings/", {**GOOD, name: "on"})
    assert getattr(Settings.current(), name)
    assert f"{label} no → yes" in text_of(admin.get("/settings/"))


def test_each_setting_shows_unit_default_and_range(admin: Client) -> None:
    page = text_of(admin.get("/settings/"))
    assert "s Default 5 s · 0 to 3,600" in page
    assert "s Default 60, 120, 240, 480 s · 1 to 12 pauses" in page


def test_each_setting_shows_when_a_change_takes_effect(admin: Client) -> None:
    page = tree_of(admin.get("/settings/"))
    rows = [
        ("spacing_seconds", "takes effect with the next step"),
        ("backoff_seconds", "takes effect with the next refusal; a running pause stays"),
        ("health_seconds", "takes effect with the next health check"),
        ("keep_info_logs", "takes effect within seconds"),
    ]
    failures = []
    for name, effect in rows:
        (row,) = page.xpath(f"//*[@name='{name}']/ancestor::*[@class='setting']")
        if not element_text(row).endswith(effect):
            failures.append((name, element_text(row)))
    assert failures == []
