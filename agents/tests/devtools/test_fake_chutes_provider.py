"""The hidden account behind its edge: key, quota, cap, models, faults."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulation.provider import Reply, ReplyKind, World, answer_request, banned_now, drawn_latency
from agents.simulation.scenario import MODELS, BadSetting, Fault, Hidden, Latency, Quota, merged
from agents.tests.rows import rows


def replies(hidden: Hidden, times: list[float], models: tuple[str, ...] = MODELS) -> list[Reply]:
    world, rng, got = World(), Random(1), []
    for at in times:
        world, reply = answer_request(world, hidden, models, at, rng)
        got.append(reply)
    return got


def test_a_refused_key_never_reaches_the_edge() -> None:
    world, reply = answer_request(World(), Hidden(valid=False), MODELS, 0, Random(0))
    assert (reply.kind, world) == (ReplyKind.AUTH, World())


def test_the_daily_quota_runs_out_with_a_reset_time_and_resets_each_period() -> None:
    hidden = Hidden(quota=Quota(total=3, used=1, reset_at=100, period=1000))
    got = replies(hidden, [0, 1, 2, 100, 101, 102, 103, 1100])
    assert [reply.kind is ReplyKind.ANSWERED for reply in got] == [True, True, False, True, True, True, False, True]
    assert [reply.reset_at for reply in got if reply.kind is ReplyKind.DAILY_QUOTA] == [100, 1100]


def test_the_cap_is_spent_by_answers_and_its_reset_is_not_stated() -> None:
    hidden = merged(Hidden(), {"cap4h": {"cap": 1.0, "used": 0.5, "cost": 0.25, "reset_at": 50}})
    got = replies(hidden, [0, 1, 2, 50])
    assert [reply.kind for reply in got] == [ReplyKind.ANSWERED, ReplyKind.ANSWERED, ReplyKind.SUBSCRIPTION_CAP, ReplyKind.ANSWERED]
    assert all(reply.reset_at is None for reply in got)


def test_a_full_model_is_replaced_by_the_next_requested_one() -> None:
    hidden = merged(Hidden(), {"models": {MODELS[0]: {"full": 1.0}}})
    assert replies(hidden, [0], MODELS[:1])[0].kind is ReplyKind.CAPACITY
    assert replies(hidden, [0])[0].model == MODELS[1]


def test_an_unknown_model_is_distinguished_from_a_full_one() -> None:
    assert replies(Hidden(), [0], ("no/such",))[0].kind is ReplyKind.MODEL


def test_a_hang_never_ends_and_a_slow_answer_takes_long() -> None:
    assert replies(merged(Hidden(), {"faults": {"hang": 1}}), [0])[0].seconds == math.inf
    assert 30 <= replies(merged(Hidden(), {"faults": {"slow": 1}}), [0])[0].seconds <= 90


def test_a_ban_from_outside_refuses_until_it_is_over() -> None:
    world = banned_now(World(), 0, 60)
    world, during = answer_request(world, Hidden(), MODELS, 59, Random(0))
    _, later = answer_request(world, Hidden(), MODELS, 60, Random(0))
    assert (during.kind, during.in_ban, later.kind) == (ReplyKind.EDGE, True, ReplyKind.ANSWERED)


def test_models_merge_deeply_and_other_objects_keep_what_is_not_named() -> None:
    hidden = merged(Hidden(), {"models": {MODELS[0]: {"full": 1.0}}, "ban": {"base": 5}, "quota": {"total": 9, "used": 4}})
    hidden = merged(hidden, {"models": {MODELS[1]: {"full": 0.5}}, "quota": {"reset_at": 7}, "faults": {"hang": 0.1}})
    assert [hidden.models[model].full for model in MODELS] == [1.0, 0.5, 0.0]
    assert (hidden.ban.base, hidden.ban.strikes, hidden.quota) == (5, 5, Quota(9, 4, 7))
    assert dict(hidden.faults) == {Fault.HANG: 0.1}
    assert merged(hidden, {"quota": None}).quota is None


@rows(
    ("changes", "field"),
    [
        ({"limit": 1.5}, "limit"),
        ({"window": 0}, "window"),
        ({"counter": "other"}, "counter"),
        ({"limits": 3}, "limits"),
        ({"ban": {"on_hit": "kill"}}, "ban.on_hit"),
        ({"ban": 3}, "ban"),
        ({"models": {"m": {"full": 2}}}, "models.m.full"),
        ({"quota": {"used": 3}}, "quota.total"),
        ({"cap4h": {"cap": -1}}, "cap4h.cap"),
        ({"faults": {"fire": 0.1}}, "faults.fire"),
        ({"faults": {"hang": 0.6, "reset": 0.6}}, "faults"),
        ({"valid": "no"}, "valid"),
        ({"latency": {"mean": 3}}, "latency.mean"),
        ([], "settings"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(changes: object, field: str) -> None:
    with pytest.raises(BadSetting) as caught:
        merged(Hidden(), changes)
    assert caught.value.field == field


@given(st.integers(0, 10_000))
def test_an_answer_takes_between_two_and_six_seconds(seed: int) -> None:
    assert 2.0 <= drawn_latency(Latency(), Random(seed)) <= 6.0


@given(st.integers(0, 10_000), st.lists(st.floats(0, 20), max_size=30))
def test_the_same_random_numbers_give_the_same_world(seed: int, gaps: list[float]) -> None:
    hidden = replace(Hidden(limit=3, balancers=2), faults={Fault.HANG: 0.3})

    def run() -> list[Reply]:
        world, rng, now, got = World(), Random(seed), 0.0, []
        for gap in gaps:
            now += gap
            world, reply = answer_request(world, hidden, MODELS, now, rng)
            got.append(reply)
        return got

    assert run() == run()
