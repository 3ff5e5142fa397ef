"""Settings of fake Chutes: what merges, and what is refused by name."""

import json

import pytest

from agents.devtools.fake_chutes.behaviour import NAMED, PLAIN, Behaviour, as_json, merged
from agents.simulation.scenario import BadSetting
from agents.tests.rows import rows


@rows(
    ("changes", "field"),
    [
        ([], "settings"),
        ({"limt": 4}, "limt"),
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"window": "60"}, "window"),
        ({"latency": float("nan")}, "latency.median"),
        ({"valid": 1}, "valid"),
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
    "faults": {"hang": 0.5},
    "ban": {"on_hit": "escalate"},
    "quota": {"total": 300},
    "cap4h": {"cap": 1.5},
    "published": "inf",
    "balance": 2.5,
    "refuse": {"status": 429, "detail": {"wait": True}, "headers": {"Retry-After": "4"}},
    "unlisted": ["a/model"],
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
