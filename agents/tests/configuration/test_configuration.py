"""Admins' settings: validated, recorded with user, time, old and new value, and completed from the environment."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from agents.configuration import SETTINGS, change, default_account, models_of, parsed, provider, rules, values
from agents.configuration.account_changes import change_account
from agents.models import Account, Settings
from agents.policy.modes import Mode

pytestmark = pytest.mark.django_db

DEFAULTS = {
    "pacing": "fixed",
    "risk": "balanced",
    "spacing_seconds": 5,
    "backoff_max_seconds": 600,
    "key_check_minutes": 5,
    "probe_after_pause": True,
    "backoff_seconds": [60, 120, 240, 480],
    "deadline_seconds": 25,
    "agent_mode": "hybrid",
    "llm_use": "always",
    "sure_from": 0.8,
    "agent_id": 1,
    "max_task_usd": 0.05,
    "daily_attempts": 5000,
    "daily_usd": 5,
    "caller_daily_attempts": 0,
    "caller_daily_usd": 0,
    "allowed_callers": [],
    "blocked_callers": [],
    "fetch_pages": False,
    "fetch_hosts": [],
    "miner_api_url": "",
    "retest_after_pause": True,
    "health_seconds": 60,
    "failures_before_down": 2,
    "silence_minutes": 0,
    "least_llm_percent": 0,
    "trace_prompts": False,
    "require_second_factor": False,
    "keep_info_logs": False,
    "records_mb": 4_000,
    "pages_mb": 500,
    "logs_mb": 200,
    "free_disk_mb": 500,
}


# For each setting another value: as it is given, and as it is kept.
CHANGES: dict[str, tuple[str, Any]] = {
    "pacing": ("auto", "auto"),
    "risk": ("eager", "eager"),
    "spacing_seconds": ("2.5", 2.5),
    "backoff_max_seconds": ("900", 900),
    "key_check_minutes": ("10", 10),
    "probe_after_pause": ("false", False),
    "backoff_seconds": ("30, 60 90", [30, 60, 90]),
    "deadline_seconds": ("20", 20),
    "agent_mode": ("template", "template"),
    "llm_use": ("when_unsure", "when_unsure"),
    "sure_from": ("0.65", 0.65),
    "agent_id": ("83", 83),
    "max_task_usd": ("0", 0),
    "daily_attempts": ("0", 0),
    "daily_usd": ("2.5", 2.5),
    "caller_daily_attempts": ("100", 100),
    "caller_daily_usd": ("0.5", 0.5),
    "allowed_callers": ("10.0.0.0/8,203.0.113.7,2001:db8::/32", ["10.0.0.0/8", "203.0.113.7", "2001:db8::/32"]),
    "blocked_callers": ("0.0.0.0/0", ["0.0.0.0/0"]),
    "fetch_pages": ("true", True),
    "fetch_hosts": ("demo.example.com, localhost:8000-8016", ["demo.example.com", "localhost:8000-8016"]),
    "miner_api_url": ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
    "retest_after_pause": ("false", False),
    "health_seconds": ("30", 30),
    "failures_before_down": ("3", 3),
    "silence_minutes": ("60", 60),
    "least_llm_percent": ("50", 50),
    "trace_prompts": ("true", True),
    "require_second_factor": ("true", True),
    "keep_info_logs": ("true", True),
    "records_mb": ("3000", 3_000),
    "pages_mb": ("50", 50),
    "logs_mb": ("20", 20),
    "free_disk_mb": ("1000", 1_000),
}


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("miner_settings", *arguments, stdout=out)
    printed = json.loads(out.getvalue())
    del printed["accounts"]
    return printed


def history() -> list[Any]:
    return list(Settings.history.order_by("history_id"))


def entry(name: str, input_usd: float | None, output_usd: float | None, *, json_mode: bool = True) -> dict[str, Any]:
    return {"id": name, "input": input_usd, "output": output_usd, "json_mode": json_mode}


def test_without_arguments_all_settings_are_printed_as_json() -> None:
    assert run() == DEFAULTS
    assert set(DEFAULTS) == set(SETTINGS)
    assert not Settings.objects.exists(), "reading changes nothing"


def test_each_setting_can_be_changed_at_once() -> None:
    kept = {name: value for name, (_, value) in CHANGES.items()}
    assert not [name for name in SETTINGS if kept[name] == DEFAULTS[name]]
    assert run(*(f"{name}={given}" for name, (given, _) in CHANGES.items())) == kept
    assert run() == kept
    assert values(Settings.current()) == kept


def test_the_bounds_themselves_are_allowed() -> None:
    run("backoff_max_seconds=86400")
    for allowed in ("spacing_seconds=0", "spacing_seconds=3600", "deadline_seconds=3", "deadline_seconds=180", "backoff_seconds=1,1,86400"):
        run(allowed)
    assert run("allowed_callers=")["allowed_callers"] == []


def test_a_network_is_allowed_or_blocked_not_both() -> None:
    with pytest.raises(CommandError, match=r"blocked_callers: 10.0.0.0/8 is allowed, too. Take it out of one list."):
        run("blocked_callers=0.0.0.0/0 10.0.0.0/8", "allowed_callers=10.0.0.0/8 ::/0")


def test_the_longest_backoff_is_no_shorter_than_the_last_pause() -> None:
    with pytest.raises(CommandError, match=r"backoff_max_seconds: The longest backoff can't be shorter .* 700 s"):
        run("backoff_seconds=60,700")
    run("backoff_seconds=60,700", "backoff_max_seconds=700")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("pacing=learned", "pacing: “learned” is no pacing. Choose fixed or auto, which took the place of learned."),
        ("risk=high", "risk: Value 'high' is not a valid choice."),
        ("spacing_seconds=-1", "spacing_seconds: Ensure this value is greater than or equal to 0"),
        ("spacing_seconds=3601", "spacing_seconds: Ensure this value is less than or equal to 3600"),
        ("spacing_seconds=fast", "spacing_seconds: “fast” is not a number."),
        ("spacing_seconds=", "spacing_seconds: “” is not a number."),
        ("spacing_seconds=nan", "spacing_seconds: “nan” is not a number."),
        ("spacing_seconds=inf", "spacing_seconds: “inf” is not a number."),
        ("spacing_seconds=1e400", "spacing_seconds: “1e400” is not a number."),
        ("spacing_seconds=1,2", "spacing_seconds: “1,2” is not a number."),
        ("deadline_seconds=2.9", "deadline_seconds: Ensure this value is greater than or equal to 3"),
        ("deadline_seconds=181", "deadline_seconds: Ensure this value is less than or equal to 180"),
        ("backoff_seconds=", "backoff_seconds: "),
        ("backoff_seconds=" + "60," * 13, "backoff_seconds: Give 1 to 12 pauses in seconds, such as 60, 120, 240, 480."),
        ("backoff_seconds=0.5", "backoff_seconds: Each pause is a number from 1 to 86400 seconds."),
        ("backoff_seconds=60,86401", "backoff_seconds: Each pause is a number from 1 to 86400 seconds."),
        ("backoff_seconds=60,nan", "backoff_seconds: “nan” is not a number."),
        ("probe_after_pause=on", "probe_after_pause: “on” is neither true nor false."),
        ("backoff_seconds=120,60", "backoff_seconds: A pause can't be shorter than the one before it."),
        ("backoff_seconds=60;120", "backoff_seconds: “60;120” is not a number."),
        ("agent_mode=", "agent_mode: "),
        ("agent_mode=HYBRID", "agent_mode: Value 'HYBRID' is not a valid choice."),
        ("llm_use=never", "llm_use: Value 'never' is not a valid choice."),
        ("sure_from=1.01", "sure_from: Ensure this value is less than or equal to 1."),
        ("sure_from=very", "sure_from: “very” is not a number."),
        ("max_task_usd=-1", "max_task_usd: Ensure this value is greater than or equal to 0."),
        ("max_task_usd=nan", "max_task_usd: “nan” is not a number."),
        ("daily_attempts=1.5", "daily_attempts: “1.5” is not a whole number."),
        ("daily_attempts=-1", "daily_attempts: Ensure this value is greater than or equal to 0"),
        ("daily_usd=-0.01", "daily_usd: Ensure this value is greater than or equal to 0"),
        ("caller_daily_usd=nan", "caller_daily_usd: “nan” is not a number."),
        ("allowed_callers=10.0.0.1/8", "allowed_callers: “10.0.0.1/8” is not a network. Write it as 10.0.0.0/8 or 203.0.113.7."),
        ("health_seconds=10.5", "health_seconds: “10.5” is not a whole number."),
        ("silence_minutes=soon", "silence_minutes: “soon” is not a whole number."),
        ("least_llm_percent=101", "least_llm_percent: Ensure this value is less than or equal to 100."),
        ("miner_api_url=there", "miner_api_url: Enter a valid URL."),
        ("fetch_hosts=http://x.org", "fetch_hosts: “http://x.org” is not a host. Write it as demo.example.com"),
        ("fetch_hosts=x.org:70000", "fetch_hosts: “70000” is not a port. Give one from 1 to 65535"),
        ("fetch_pages=maybe", "fetch_pages: “maybe” is neither true nor false."),
        ("allowed_callers=example.org", "allowed_callers: “example.org” is not a network."),
        ("changed_at=2026-01-01", "There is no setting “changed_at”. Choose from pacing, risk, spacing_seconds, "),
        ("id=2", "There is no setting “id”."),
        ("spacing", "“spacing” is not of the form name=value, such as spacing_seconds=2."),
        ("=2", "There is no setting “”."),
    ],
)
def test_a_bad_value_is_refused_with_field_and_remedy_and_nothing_is_changed(given: str, message: str) -> None:
    run("spacing_seconds=2")
    before, kept = run(), len(history())
    with pytest.raises(CommandError) as caught:
        run("deadline_seconds=30", given)
    assert message in str(caught.value)
    assert run() == before
    assert len(history()) == kept


@pytest.mark.parametrize(
    "bad",
    [
        {"spacing_seconds": float("nan")},
        {"spacing_seconds": float("inf")},
        {"deadline_seconds": float("nan")},
        {"spacing_seconds": None},
        {"spacing_seconds": []},
        {"backoff_seconds": "60"},
        {"backoff_seconds": [True, 60]},
        {"backoff_seconds": [60, float("nan")]},
        {"backoff_seconds": None},
        {"allowed_callers": "10.0.0.0/8"},
        {"allowed_callers": None},
        {"allowed_callers": {}},
        {"allowed_callers": [7]},
    ],
)
def test_a_value_of_the_wrong_type_is_refused_from_any_caller(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        change(bad, by=None, reason="test")
    assert list(caught.value.message_dict) == list(bad)
    assert not Settings.objects.exists()


def test_each_change_is_recorded_with_values_user_time_and_reason() -> None:
    ann = get_user_model().objects.create_user("ann")
    change({"spacing_seconds": 2}, by=ann, reason="less load")
    change({"spacing_seconds": 3, "agent_mode": "llm"}, by=None, reason="a try")
    first, second = history()
    assert (first.history_user, first.history_change_reason, first.spacing_seconds) == (ann, "less load", 2)
    assert (second.history_user, second.history_change_reason) == (None, "a try")
    assert second.history_date >= first.history_date
    changed = {delta.field: (delta.old, delta.new) for delta in second.diff_against(first).changes}
    assert changed == {"spacing_seconds": (2, 3), "agent_mode": ("hybrid", "llm")}


def test_changes_by_the_command_line_are_recorded_as_such() -> None:
    run("spacing_seconds=2")
    assert [(row.history_user, row.history_change_reason) for row in history()] == [(None, "miner_settings")]


def test_changing_nothing_adds_no_history() -> None:
    run("spacing_seconds=2", "backoff_seconds=60,120")
    run("spacing_seconds=2.0", "backoff_seconds=60 120")
    change({}, by=None, reason="test")
    assert len(history()) == 1


def test_an_unchanged_account_adds_no_history() -> None:
    account = default_account()
    kept = account.history.count()
    change_account(account, {"enabled": True, "model_names": []}, key=None, by=None, reason="test")
    assert account.history.count() == kept
    change_account(account, {"enabled": False}, key=None, by=None, reason="test")
    assert account.history.count() == kept + 1


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"base_url": "llm.chutes.ai"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"model_names": "one"}, "model_names"),
        ({"model_names": None}, "model_names"),
        ({"model_names": [""]}, "model_names"),
        ({"model_names": ["x" * 201]}, "model_names"),
        ({"model_names": ["x"] * 21}, "model_names"),
        ({"key_sealed": "x"}, "__all__"),
        ({"name": "other"}, "name"),
    ],
)
def test_a_bad_account_is_refused_with_its_field_and_the_key_stays(bad: dict[str, Any], field: str) -> None:
    account = default_account()
    with pytest.raises(ValidationError) as caught:
        change_account(account, bad, key="cpk_new", by=None, reason="test")
    assert list(caught.value.message_dict) == [field]
    assert Account.objects.get().key_sealed == ""


def test_the_rules_have_the_values_of_the_settings() -> None:
    assert rules(Settings()).mode is Mode.HYBRID
    in_force = rules(change({"spacing_seconds": 0, "backoff_seconds": [7]}, by=None, reason="test"))
    assert (in_force.limits.spacing, in_force.limits.ladder) == (0, (7.0,))


def test_the_accounts_models_come_before_the_environments(settings: Any) -> None:
    settings.CHUTES_MODELS = ("from/environment",)
    account = Account(name="default", model_names=["b", "a"], catalogue=[entry("cheap", 0.1, 0.1)])
    assert models_of(account) == ("b", "a")
    account.model_names = []
    assert models_of(account) == ("from/environment",)


def test_without_configured_models_the_three_cheapest_with_json_mode_are_tried(settings: Any) -> None:
    settings.CHUTES_MODELS = ()
    listed = [
        entry("dear", 2.0, 2.0),
        entry("no-json", 0.01, 0.01, json_mode=False),
        entry("second", 0.1, 0.3),
        entry("first", 0.3, 0.0),
        entry("third", 0.1, 0.4),
        entry("unknown-price", None, 0.0),
    ]
    assert models_of(Account(name="default", catalogue=listed)) == ("first", "second", "third")
    assert models_of(Account(name="default")) == ()


def test_a_model_without_a_price_is_tried_last_and_its_cost_stays_unknown(settings: Any) -> None:
    settings.CHUTES_MODELS = ()
    account = Account(name="default", catalogue=[entry("unknown", None, None), entry("dear", 90.0, 90.0)])
    assert models_of(account) == ("dear", "unknown")
    assert provider(account).prices == {"dear": (90.0, 90.0)}


def test_an_account_takes_its_base_url_from_the_environment_where_it_has_none(settings: Any) -> None:
    settings.CHUTES_BASE_URL = "https://llm.example/v1"
    assert provider(Account(name="default")).base_url == "https://llm.example/v1"
    assert provider(Account(name="default", base_url="https://own.example/v1/")).base_url == "https://own.example/v1"


def test_there_is_one_default_account() -> None:
    assert default_account() == default_account()
    assert Account.objects.count() == 1


def test_values_are_parsed_from_text() -> None:
    assert parsed("spacing_seconds", " 2.0 ") == 2
    assert parsed("backoff_seconds", "60, 120,240  480") == [60, 120, 240, 480]
    assert parsed("allowed_callers", " ") == []
    assert parsed("agent_mode", "llm") == "llm"
