"""Settings of the stand-in: what merges, what is refused by name, and the dice."""

from __future__ import annotations

from random import Random
from statistics import median

import pytest

from agents.standin.behaviour import BadSetting, Behaviour, Fault, as_json, draw_fault, draw_latency, merged
from agents.standin.timeline import Change, apply, parse


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


def test_the_settings_as_json_can_be_merged_again() -> None:
    behaviour = merged(Behaviour(), {"limit": 4, "latency": 2, "slow_seconds": 3, "faults": {"hang": 0.5}})
    assert merged(Behaviour(), as_json(behaviour)) == behaviour


def test_faults_come_as_often_as_they_are_set() -> None:
    behaviour, rng = merged(Behaviour(), {"faults": {"http500": 0.25, "hang": 0.25}}), Random(1)
    drawn = [draw_fault(behaviour, rng) for _ in range(4000)]
    assert 900 < drawn.count(Fault.HTTP500) < 1100
    assert 900 < drawn.count(Fault.HANG) < 1100
    assert 1850 < drawn.count(None) < 2150


def test_latency_lies_around_its_median_and_between_two_and_six_seconds_for_the_reported_one() -> None:
    behaviour, rng = merged(Behaviour(), {"latency": 3.5}), Random(1)
    drawn = [draw_latency(behaviour, rng) for _ in range(2000)]
    assert 3.4 < median(drawn) < 3.6
    assert min(drawn) >= 2
    assert max(drawn) <= 6.000001


def test_the_same_seed_throws_the_same_dice() -> None:
    behaviour = merged(Behaviour(), {"latency": 3.5, "faults": {"hang": 0.5}})
    rolls = [[(draw_latency(behaviour, rng), draw_fault(behaviour, rng)) for _ in range(9)] for rng in (Random(5), Random(5))]
    assert rolls[0] == rolls[1]


def test_a_timeline_is_read_in_the_order_of_its_times() -> None:
    assert parse('[{"at": 240, "set": {"limit": 60}}, {"at": 60, "set": {"limit": 4}}]') == (
        Change(60.0, {"limit": 4}),
        Change(240.0, {"limit": 60}),
    )


def test_later_changes_win() -> None:
    assert apply(Behaviour(), parse('[{"at": 0, "set": {"limit": 4}}, {"at": 9, "set": {"limit": 7}}]')).limit == 7


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "timeline"),
        ("{}", "timeline"),
        ("[4]", "timeline[0]"),
        ('[{"at": 1}]', "timeline[0]"),
        ('[{"at": -1, "set": {}}]', "timeline[0].at"),
        ('[{"at": 1, "set": {}}, {"at": 1, "set": {"limt": 4}}]', "timeline[1].set.limt"),
    ],
)
def test_a_bad_timeline_names_its_entry(text: str, field: str) -> None:
    with pytest.raises(BadSetting) as caught:
        parse(text)
    assert caught.value.field == field
