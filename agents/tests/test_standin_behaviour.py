"""Settings, timelines and scenarios of the stand-in: what merges, and what is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.standin.behaviour import PLAIN, Behaviour, as_json, merged
from agents.standin.faults import BadSetting
from agents.standin.hidden import Hidden
from agents.standin.refusals import NAMED
from agents.standin.timeline import Change, parse, scenario


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ([], "settings"),
        ({"limt": 4}, "limt"),
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"window": "60"}, "window"),
        ({"latency": float("nan")}, "latency"),
        ({"valid": 1}, "valid"),
        ({"slow_seconds": [9, 3]}, "slow_seconds"),
        ({"slow_seconds": [1, 2, 3]}, "slow_seconds"),
        ({"faults": ["hang"]}, "faults"),
        ({"faults": {"hung": 1}}, "faults.hung"),
        ({"faults": {"hang": 2}}, "faults.hang"),
        ({"faults": {"hang": 0.7, "reset": 0.7}}, "faults"),
        ({"ban": {"law": "triple"}}, "ban.law"),
        ({"ban": {"strike": 1}}, "ban.strike"),
        ({"counter": "sliding"}, "counter"),
        ({"balancers": 0}, "balancers"),
        ({"models": {"a/model": {"full": 2}}}, "models.a/model.full"),
        ({"quota": {"used": 3}}, "quota.total"),
        ({"cap4h": {"cap": "1"}}, "cap4h.cap"),
        ({"published": "many"}, "published"),
        ({"balance": -1}, "balance"),
        ({"refuse": "rudely"}, "refuse"),
        ({"refuse": {"status": 200}}, "refuse.status"),
        ({"refuse": {"status": 429, "text": "no"}}, "refuse.text"),
        ({"refuse": {"status": 429, "headers": {"Retry-After": 4}}}, "refuse.headers.Retry-After"),
        ({"unlisted": "a/model"}, "unlisted"),
        ({"quotas_form": "table"}, "quotas_form"),
        ({"monthly_reset_at": "soon"}, "monthly_reset_at"),
    ],
)
def test_a_bad_setting_is_named(changes: object, field: str) -> None:
    with pytest.raises(BadSetting) as caught:
        merged(Behaviour(), changes)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_settings_that_are_not_named_stay_and_faults_are_replaced_as_a_whole() -> None:
    first = merged(Behaviour(), {"limit": 4, "faults": {"hang": 1}})
    second = merged(first, {"faults": {"reset": 1}})
    assert second == merged(Behaviour(), {"limit": 4, "faults": {"reset": 1}})
    assert merged(second, {"faults": {}}) == merged(Behaviour(), {"limit": 4})


def test_objects_are_merged_deeply_and_null_takes_a_limit_away() -> None:
    first = merged(Behaviour(), {"ban": {"strikes": 3}, "quota": {"total": 300, "used": 180}, "models": {"a/model": {"full": 1}}})
    second = merged(first, {"ban": {"base": 90}, "quota": {"used": 299}}).hidden
    assert (second.ban.strikes, second.ban.base) == (3, 90)
    assert second.quota is not None
    assert (second.quota.total, second.quota.used) == (300, 299)
    assert set(second.models) == {*PLAIN.models, "a/model"}
    assert merged(first, {"quota": None}).hidden.quota is None


EVERYTHING = {
    "limit": 4,
    "counter": "leaky",
    "balancers": 3,
    "latency": 2,
    "slow_seconds": 3,
    "faults": {"hang": 0.5},
    "ban": {"on_hit": "escalate"},
    "quota": {"total": 300},
    "cap4h": {"cap": 1.5},
    "published": "inf",
    "balance": 2.5,
    "refuse": {"status": 429, "detail": {"wait": True}, "headers": {"Retry-After": "4"}},
    "unlisted": ["a/model"],
    "quotas_form": "empty",
    "monthly_reset_at": -60,
}


def test_the_settings_as_json_can_be_merged_again() -> None:
    behaviour = merged(Behaviour(), EVERYTHING)
    assert merged(Behaviour(), json.loads(json.dumps(as_json(behaviour)))) == behaviour


@pytest.mark.parametrize("name", NAMED)
def test_a_named_refusal_can_be_merged_again(name: str) -> None:
    behaviour = merged(Behaviour(), {"refuse": name})
    assert merged(Behaviour(), as_json(behaviour)) == behaviour
    assert merged(behaviour, {"refuse": None}) == Behaviour()


def test_a_timeline_is_read_in_the_order_of_its_times() -> None:
    assert parse('[{"at": 240, "set": {"limit": 60}}, {"at": 60, "set": {"limit": 4}, "ban": 9}]', Behaviour()) == (
        Change(60.0, {"limit": 4}, 9.0),
        Change(240.0, {"limit": 60}),
    )


def test_a_later_entry_may_lean_on_an_earlier_one() -> None:
    parse('[{"at": 9, "set": {"quota": {"used": 5}}}, {"at": 1, "set": {"quota": {"total": 5}}}]', Behaviour())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "timeline"),
        ("{}", "timeline"),
        ("[4]", "timeline[0]"),
        ('[{"at": 1}]', "timeline[0]"),
        ('[{"at": 1, "sets": {}}]', "timeline[0]"),
        ('[{"at": -1, "set": {}}]', "timeline[0].at"),
        ('[{"at": 1, "ban": "long"}]', "timeline[0].ban"),
        ('[{"at": 1, "set": {}}, {"at": 1, "set": {"limt": 4}}]', "timeline[1].set.limt"),
    ],
)
def test_a_bad_timeline_names_its_entry(text: str, field: str) -> None:
    with pytest.raises(BadSetting) as caught:
        parse(text, Behaviour())
    assert caught.value.field == field


def test_a_scenario_starts_from_the_account_as_scenarios_know_it(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps({"about": "…", "account": {"limit": 6}, "load": {"every": [1, 2]}, "timeline": [{"at": 0, "ban": 3600}]}))
    read = scenario(str(file))
    assert read.behaviour == Behaviour(replace(Hidden(), limit=6))
    assert read.timeline == (Change(0.0, ban=3600.0),)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "scenario"),
        ("[]", "scenario"),
        ('{"acount": {}}', "scenario.acount"),
        ('{"account": []}', "scenario.account.settings"),
        ('{"account": {"ban": {"on_hit": "cry"}}}', "scenario.account.ban.on_hit"),
        ('{"timeline": [{"at": 1, "set": {"limt": 4}}]}', "scenario.timeline[0].set.limt"),
    ],
)
def test_a_bad_scenario_names_its_field(tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "scenario.json"
    file.write_text(text)
    with pytest.raises(BadSetting) as caught:
        scenario(str(file))
    assert caught.value.field == field
    with pytest.raises(BadSetting, match="scenario: "):
        scenario(str(tmp_path / "none.json"))
