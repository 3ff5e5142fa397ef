"""Scenario files and timelines, parsed alike for the simulation and fake Chutes; errors name the field."""

import argparse
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command

from agents.devtools.fake_chutes import cli
from agents.devtools.fake_chutes.behaviour import Behaviour, Course
from agents.simulation.scenario import BadSetting, Change, Hidden, Load, Scenario, load_file, parse
from agents.tests.rows import rows

LOAD = {"every": [30, 60]}
KEPT = Path(__file__).parents[3] / "bench" / "scenarios"


def course(*flags: str) -> Course:
    """What fake Chutes would play with these flags."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.started(vars(parser.parse_args(flags)))


def test_a_scenario_is_read_with_defaults_for_missing_fields() -> None:
    assert parse({"horizon": 60, "load": {"per_min": 3}}) == Scenario(60.0, Load(per_min=3.0, steps=12), Hidden(), ())
    everything = {"about": "…", "horizon": 9, "load": {"every": 4, "tasks": 2, "steps": 1}, "account": {"limit": 6}}
    assert parse({**everything, "timeline": [{"at": 0, "ban": 3600}]}) == Scenario(
        9.0, Load((4.0, 4.0), tasks=2, steps=1), Hidden(limit=6), (Change(0.0, ban=3600.0),), about="…"
    )


def test_a_timeline_is_in_the_order_of_its_times_and_a_later_entry_may_lean_on_an_earlier_one() -> None:
    late, early = {"at": 9, "set": {"quota": {"used": 5}}}, {"at": 1, "set": {"quota": {"total": 5}}, "ban": 2}
    assert parse({"horizon": 60, "load": LOAD, "timeline": [late, early]}).timeline == (
        Change(1.0, {"quota": {"total": 5}}, 2.0),
        Change(9.0, {"quota": {"used": 5}}),
    )


def test_rounds_come_between_the_two_times_and_a_stream_by_its_rate() -> None:
    rounds = Load(every=(30, 60), tasks=2).arrivals(3600, Random(1))
    assert rounds[:2] == [5.0, 5.0] and rounds[::2] == rounds[1::2]
    assert all(30 <= later - earlier <= 60 for earlier, later in zip(rounds[::2], rounds[2::2], strict=False))
    assert 450 < len(Load(per_min=10).arrivals(3600, Random(1))) < 750


@pytest.fixture(
    params=[
        ("{", "scenario"),
        ("[" * 100_000, "scenario"),
        ("[]", "scenario"),
        ('{"acount": {}}', "scenario.acount"),
        ('{"load": {"every": 9}}', "scenario.horizon"),
        ('{"horizon": 1e999, "load": {"every": 9}}', "scenario.horizon"),
        ('{"horizon": 9}', "scenario.load"),
        ('{"horizon": 9, "load": {}}', "scenario.load"),
        ('{"horizon": 9, "load": {"every": 9, "per_min": 9}}', "scenario.load"),
        ('{"horizon": 9, "load": {"every": [3, 1]}}', "scenario.load.every"),
        ('{"horizon": 9, "load": {"every": 0}}', "scenario.load.every"),
        ('{"horizon": 9, "load": {"per_min": "9"}}', "scenario.load.per_min"),
        ('{"horizon": 9, "load": {"every": 9, "steps": 0}}', "scenario.load.steps"),
        ('{"horizon": 9, "load": {"every": 9, "step": 1}}', "scenario.load.step"),
        ('{"account": []}', "scenario.account"),
        ('{"account": {"balance": 3}}', "scenario.account.balance"),
        ('{"account": {"ban": {"on_hit": "cry"}}}', "scenario.account.ban.on_hit"),
        ('{"account": {"window": 1' + "0" * 400 + "}}", "scenario.account.window"),
        ('{"horizon": 9, "load": {"every": 9}, "timeline": {}}', "scenario.timeline"),
        ('{"horizon": 9, "load": {"every": 9}, "timeline": [{"at": 1}]}', "scenario.timeline[0]"),
        ('{"horizon": 9, "load": {"every": 9}, "timeline": [{"at": 1, "set": {"limt": 4}}]}', "scenario.timeline[0].set.limt"),
    ],
    ids=lambda param: str(param[0])[:60],
)
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file that can't be used, and the field that is to be named."""
    file = tmp_path / "scenario.json"
    file.write_text(request.param[0])
    return file, request.param[1]


def test_a_bad_scenario_names_its_field_in_both_commands(bad: tuple[Path, str]) -> None:
    file, field = bad
    with pytest.raises(BadSetting) as caught:
        load_file(file)
    assert caught.value.field == field
    message = str(caught.value)
    for command in (["simulate", str(file)], ["fake_chutes", "--scenario", str(file)]):
        with pytest.raises(CommandError) as refused:
            call_command(*command)
        assert str(refused.value) == message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"^scenario: .*none\.json can't be read"):
        load_file(tmp_path / "none.json")


@rows("file", sorted(KEPT.glob("*.json")))
def test_fake_chutes_and_the_simulation_start_from_the_same_account(file: Path) -> None:
    scenario, played = load_file(file), course("--scenario", str(file))
    assert (played.start.hidden, played.timeline) == (scenario.account, scenario.timeline)
    assert played.start == Behaviour(scenario.account)


def test_other_flags_are_applied_after_the_scenario() -> None:
    file = str(KEPT / "04_limit_drop.json")
    assert course("--scenario", file, "--limit", "7").start.hidden.limit == 7
    assert course("--scenario", file, "--timeline", '[{"at": 3, "set": {"balance": 2}}]').timeline == (Change(3.0, {"balance": 2}),)


@rows(
    ("text", "field"),
    [
        ("{", "timeline"),
        ("{}", "timeline"),
        ("[4]", "timeline[0]"),
        ('[{"at": 1}]', "timeline[0]"),
        ('[{"at": 1, "sets": {}}]', "timeline[0].sets"),
        ('[{"at": -1, "set": {}}]', "timeline[0].at"),
        ('[{"at": 1, "ban": "long"}]', "timeline[0].ban"),
        ('[{"at": 1, "set": 4}]', "timeline[0].set"),
        ('[{"at": 1, "set": {}}, {"at": 1, "set": {"limt": 4}}]', "timeline[1].set.limt"),
    ],
)
def test_a_bad_timeline_names_its_entry(text: str, field: str) -> None:
    with pytest.raises(BadSetting) as caught:
        course("--timeline", text)
    assert caught.value.field == field
