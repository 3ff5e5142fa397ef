"""Simulated miners against hidden accounts, on a virtual clock."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy.gate import Limits
from agents.policy.modes import Pacing
from agents.simulation.run import EPOCH, USD_A_REQUEST, Answered, Measures, Miner, Record, Run, means, resumes, simulate
from agents.simulation.scenario import MODELS, parse
from agents.simulation.settings import miner_with
from agents.tests.rows import rows
from manage import arguments

pytestmark = pytest.mark.long

AUTO = miner_with(["pacing=auto"])
STEADY = {"every": [30, 60], "tasks": 1}
ROUNDS = {"every": [300, 360], "tasks": 10}


def played(load: dict[str, Any] | None = None, miner: Miner = AUTO, horizon: float = 1800, **rest: Any) -> Measures:
    return simulate(parse({"horizon": horizon, "load": load or STEADY, **rest}), miner, range(1))


def test_a_run_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    scenario = parse({"horizon": 900, "load": {"per_min": 3}, "account": {"faults": {"hang": 0.1}, "limit": 20}})
    one, same, other = (Run(scenario, AUTO, seed).result() for seed in (1, 1, 2))
    assert one == same
    assert one.answers != other.answers


def test_every_step_is_answered_in_time_whatever_the_account_does() -> None:
    faults = {"hang": 0.2, "slow": 0.2, "http500": 0.2, "empty": 0.2}
    measures = played(account={"faults": faults, "limit": 10})
    assert measures.in_time == measures.steps > 0
    assert 0 < measures.llm < measures.steps


TROUBLES = st.fixed_dictionaries(
    {
        "full": st.sampled_from([0.0, 0.5]),
        "faults": st.sampled_from([{}, {"hang": 1.0}, {"hang": 0.3, "http500": 0.3}, {"slow": 0.5}]),
        "latency": st.sampled_from([None, {"median": 12, "low": 6, "high": 60}]),
    }
)
BANS = st.lists(st.fixed_dictionaries({"at": st.integers(0, 500), "ban": st.integers(1, 90)}), max_size=4)


@settings(max_examples=25)
@given(st.lists(TROUBLES, min_size=1, max_size=3), BANS, st.sampled_from([4.0, 12.0, 25.0, 60.0]), st.sampled_from(Pacing))
def test_no_step_is_answered_after_its_deadline_however_models_fail_and_whatever_it_waits_for(
    troubles: list[Any], bans: list[Any], deadline: float, pacing: Pacing
) -> None:
    models = {f"m{number}": trouble for number, trouble in enumerate(troubles)}
    scenario = parse({"horizon": 600, "load": {"per_min": 4, "steps": 4}, "account": {"models": models}, "timeline": bans})
    miner = Miner(Limits(ladder=(10.0, 20.0), pacing=pacing), deadline, tuple(models))
    answers = Run(scenario, miner, 0).result().answers
    assert answers
    assert all(each.in_time for each in answers)


def test_a_model_that_hangs_or_is_slow_costs_no_answers_where_another_one_works() -> None:
    for trouble in ({"faults": {"hang": 1.0}}, {"latency": {"median": 30, "low": 20, "high": 60}}):
        measures = played(account={"models": {MODELS[0]: trouble}})
        assert measures.llm > 0.98 * measures.steps
        assert measures.p95 < 8


def test_models_that_hang_now_and_then_cost_few_answers() -> None:
    measures = played(account={"faults": {"hang": 0.2}})
    assert measures.llm > 0.95 * measures.steps


def test_a_pause_that_ends_in_time_costs_fewer_answers_than_one_that_does_not() -> None:
    bans = [{"at": at, "ban": 15} for at in range(300, 1800, 300)]
    short, long = (played(miner=Miner(Limits(spacing=2.0, ladder=(seconds,))), timeline=bans) for seconds in (15.0, 60.0))
    assert short.llm > 0.97 * short.steps
    assert short.llm > long.llm


def test_the_fixed_spacing_bounds_what_the_llm_answers_and_the_automatic_pace_does_not() -> None:
    rounds = {"every": [300, 300], "tasks": 10}
    fixed, automatic = played(rounds, Miner()), played(rounds)
    assert fixed.llm < 0.3 * fixed.steps
    # Nothing shows that a limit that is used up is the limit, but a request above it.
    assert automatic.llm > 0.9 * automatic.steps
    assert (fixed.edge_429, automatic.edge_429) == (0, 1)


def test_daily_caps_hold_only_where_the_settings_or_the_scenario_set_them() -> None:
    free = played()
    assert free.llm > 20
    assert played(miner=miner_with(["pacing=auto", "daily_attempts=20"])).llm <= 20
    assert 0 < played(miner=miner_with(["pacing=auto", "daily_usd=0.05"])).llm <= 0.05 / USD_A_REQUEST
    assert played(caps={"attempts": 20}).llm <= 20
    assert played(caps={"attempts": 20}, miner=miner_with(["pacing=auto", "daily_attempts=1000000"])) == free


def test_a_burst_uses_the_published_limit_once_an_answer_states_it_and_tries_more_once() -> None:
    measures = played({"every": [600, 600], "tasks": 100, "steps": 1}, horizon=3600)
    assert measures.edge_429 <= 1
    assert measures.llm >= 270


def test_a_leaky_bucket_with_a_small_burst_is_learned_with_few_refusals() -> None:
    measures = played({"every": [300, 300], "tasks": 10}, horizon=3600, account={"counter": "leaky", "burst": 0})
    assert measures.edge_429 <= 2
    assert measures.llm > 0.85 * measures.steps


def test_a_limit_that_falls_and_comes_back_is_followed() -> None:
    timeline = [{"at": 900, "set": {"limit": 6}}, {"at": 2700, "set": {"limit": 60}}]
    run = Run(parse({"horizon": 5400, "load": STEADY, "timeline": timeline}), AUTO, 0)
    record = run.result()
    late = [each.by_llm for each in record.answers if each.posted_at > EPOCH + 4500]
    assert record.edge_429 <= 10
    assert sum(late) > 0.95 * len(late)


def test_one_violation_that_bans_and_hits_that_restart_the_ban_are_no_catastrophe() -> None:
    harsh = {"limit": 12, "ban": {"strikes": 1, "on_hit": "restart"}}
    measures = played(horizon=10_800, account=harsh)
    assert measures.llm > 0.3 * measures.steps
    assert measures.in_ban <= 12


def test_a_long_ban_is_left_within_minutes_of_its_end_with_few_hits() -> None:
    measures = played({"every": [120, 180]}, horizon=7200, timeline=[{"at": 0, "ban": 3600}])
    assert measures.in_ban <= 15
    assert measures.resume_minutes is not None and measures.resume_minutes <= 6


def test_a_full_model_costs_no_answers() -> None:
    measures = played(account={"models": {"google/gemma-4-31B-turbo-TEE": {"full": 1.0}}})
    assert measures.llm == measures.steps


@pytest.mark.parametrize("limit", [{"quota": {"total": 50, "reset_at": 1200}}, {"cap4h": {"cap": 0.5, "reset_at": 1200}}])
def test_a_stated_reset_is_waited_for_with_one_wasted_call(limit: dict[str, Any]) -> None:
    measures = played(account=limit, horizon=1500)
    assert measures.wasted <= 2
    assert measures.resume_minutes is not None and measures.resume_minutes <= 2


@pytest.mark.parametrize("minutes", [20, 60, pytest.param(180, marks=pytest.mark.slow)])
def test_a_refused_key_is_back_within_five_minutes_and_costs_a_call_in_five(minutes: float) -> None:
    end = 60 * minutes
    measures = played(horizon=2 * end, account={"valid": False}, timeline=[{"at": end, "set": {"valid": True}}])
    assert measures.wasted <= 1 + minutes / 5
    assert measures.resume_minutes is not None and measures.resume_minutes <= 5.5


@pytest.mark.parametrize(("minutes", "hours"), [(10, 1.5), pytest.param(60, 4.5, marks=pytest.mark.slow)])
def test_a_ban_that_every_hit_starts_anew_is_outwaited(minutes: float, hours: float) -> None:
    harsh = {"ban": {"strikes": 1, "on_hit": "restart"}}
    run = Run(parse({"horizon": 3600 * hours, "load": STEADY, "account": harsh, "timeline": [{"at": 0, "ban": 60 * minutes}]}), AUTO, 0)
    late = [each.by_llm for each in run.result().answers if each.posted_at > EPOCH + 3600 * (hours - 0.25)]
    assert sum(late) > 0.95 * len(late) > 0


@rows(("load", "published"), [*((ROUNDS, published) for published in (0, "inf", 60, 120)), (STEADY, 0), (STEADY, "inf")])
def test_a_limit_of_sixty_is_used_well_whatever_is_published(load: dict[str, Any], published: object) -> None:
    measures = played(load, horizon=3600, account={"published": published})
    assert measures.edge_429 <= 2
    assert measures.llm > 0.9 * measures.steps


@pytest.mark.parametrize("limit", [5, 10, 20])
def test_a_hidden_limit_far_below_the_published_one_costs_a_handful_of_refusals(limit: int) -> None:
    measures = played(ROUNDS, horizon=3600, account={"limit": limit})
    assert measures.edge_429 <= 6
    assert measures.llm > 0.25 * 60 * limit


def test_after_a_short_ban_from_outside_the_pace_is_soon_as_it_was() -> None:
    measures = played(horizon=7200, timeline=[{"at": 600, "ban": 120}])
    assert measures.edge_429 == measures.in_ban == 1
    assert measures.llm > 0.92 * measures.steps
    assert measures.p95 < 15


def test_resuming_is_counted_from_the_untouched_end_with_a_step_waiting() -> None:
    record = Record(answers=[Answered(0, 1, True, False), Answered(50, 51, True, False), Answered(70, 74, True, True)])
    record.blocks, record.successes, record.ended_at = {0.0: 40.0}, [74.0], 100.0
    assert resumes(record) == [24.0]
    assert means([record]).resume_minutes == 0.4


def test_the_command_prints_one_json_object_and_needs_no_database(tmp_path: Path) -> None:
    file, out = tmp_path / "s.json", StringIO()
    file.write_text(json.dumps({"about": "", "horizon": 300, "load": STEADY}), "utf-8")
    call_command("simulate", str(file), "--miner-settings", "spacing_seconds=2", "pacing=auto", "--seeds", "1", "--json", stdout=out)
    names = ["steps", "in_time", "llm", "edge_429", "in_ban", "wasted", "resume_minutes", "p50", "p95", "missed"]
    assert list(json.loads(out.getvalue())) == names


def test_slots_are_missed_on_a_busy_machine_alone(tmp_path: Path) -> None:
    file, found = tmp_path / "s.json", list[dict[str, float]]()
    file.write_text(json.dumps({"horizon": 3600, "load": {"every": [300, 360], "tasks": 5}}), "utf-8")
    for load in ("0", "2", "12"):
        out = StringIO()
        call_command("simulate", str(file), "--miner-settings", "pacing=auto", "--load", load, "--json", stdout=out)
        found.append(json.loads(out.getvalue()))
    assert [each["missed"] for each in found[:2]] == [0, 0]
    assert 0.01 * found[2]["steps"] < found[2]["missed"] < 0.15 * found[2]["steps"]
    assert found[2]["in_time"] == found[2]["steps"]
    with pytest.raises(CommandError, match="--load"):
        call_command("simulate", str(file), "--load", "-1")


@pytest.mark.parametrize("pair", ["pacing=fast", "pacing=learned", "risk=high", "spacing_seconds=-1", "speed=3", "backoff_seconds=60,30"])
def test_the_command_names_a_setting_that_cannot_be_used(tmp_path: Path, pair: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"horizon": 300, "load": STEADY}), "utf-8")
    with pytest.raises(CommandError, match=pair.partition("=")[0]):
        call_command("simulate", str(file), "--miner-settings", pair)


def test_the_miners_settings_are_not_taken_for_a_module_of_djangos() -> None:
    command = ["manage.py", "simulate", "f", "--settings", "pacing=auto", "--settings=spacing_seconds=2"]
    assert arguments(command) == ["manage.py", "simulate", "f", "--miner-settings", "pacing=auto", "--miner-settings=spacing_seconds=2"]
    assert arguments(["manage.py", "check", "--settings", "x"]) == ["manage.py", "check", "--settings", "x"]
