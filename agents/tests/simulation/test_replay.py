"""The last hours once more: what happened comes out again under the same settings, and about the truth under others."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.configuration import change
from agents.ledger.gate_rows import at
from agents.models import Step
from agents.policy.refusals import RefusalClass
from agents.simulation.past import Chain, Outcome, Past, PastStep, Sent, read_past
from agents.simulation.replay import assumptions, replayed
from agents.simulation.run import Measures, Miner, simulate
from agents.simulation.scenario import MODELS, Scenario, parse
from agents.simulation.settings import miner_in_force, miner_with
from agents.tests.recording import Recorded, ended_at, recorded
from agents.tests.rows import each_row

STEADY = {"every": [30, 60], "tasks": 1}
ROUNDS = {"every": [300, 300], "tasks": 10}
FIXED, AUTO = {"pacing": "fixed"}, {"pacing": "auto"}
NAMES = ["steps", "in_time", "llm", "edge_429", "in_ban", "wasted", "resume_minutes", "p50", "p95", "missed"]
# How far the LLM answers of a replay may lie from what happened: chance moves one run of half an hour by about so much.
NEAR = 0.08


def scenario(load: dict[str, Any] | None = None, horizon: float = 1200, **rest: Any) -> Scenario:
    return parse({"horizon": horizon, "load": load or STEADY, **rest})


def lived(played: Scenario, settings: Any, **in_force: Any) -> tuple[Recorded, Past, Miner]:
    """A scenario lived through the real ledger, and its records."""
    settings.CHUTES_MODELS = MODELS
    change(in_force, by=None, reason="test")
    happened = recorded(played)
    past = read_past(played.horizon, at(ended_at(played)))
    return happened, past, miner_in_force(past.account)


FULL = {model: {"full": 0.8} for model in MODELS}
CASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "an account that is never limited": ({"load": STEADY}, FIXED),
    "a pace that lets in a part": ({"load": {"every": [200, 200], "tasks": 5}}, FIXED),
    "an automatic pace": ({"load": ROUNDS}, AUTO),
    "a limit of our own making": ({"account": {"limit": 6}}, FIXED),
    "a limit with bans": ({"account": {"limit": 8, "ban": {"strikes": 1, "base": 200}}}, FIXED),
    "a limit that moves": ({"timeline": [{"at": 500, "set": {"limit": 6}}, {"at": 1000, "set": {"limit": 60}}], "horizon": 1800}, AUTO),
    "a ban from outside": ({"timeline": [{"at": 400, "ban": 300}]}, FIXED),
    "models that are full for a while": ({"timeline": [{"at": 400, "set": {"models": FULL}}]}, FIXED),
    "faults": ({"account": {"faults": {"hang": 0.1, "http500": 0.15, "badjson": 0.1}}}, AUTO),
    "a quota that is used up": ({"account": {"quota": {"total": 50, "reset_at": 900}}}, FIXED),
    "a cap that is used up": ({"account": {"cap4h": {"cap": 0.5, "reset_at": 900}}}, FIXED),
    "a key that is refused": ({"timeline": [{"at": 300, "set": {"valid": False}}, {"at": 800, "set": {"valid": True}}]}, FIXED),
}
# Each takes seconds; these differ most.
QUICK = ("a limit of our own making", "a limit with bans", "a ban from outside", "a quota that is used up")


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in CASES])
def test_what_happened_comes_out_again(case: str, settings: Any) -> None:
    file, in_force = CASES[case]
    happened, past, miner = lived(scenario(**file), settings, **in_force)
    again = replayed(past, miner, range(3))
    assert again.steps == happened.steps == again.in_time
    assert again.llm == pytest.approx(happened.llm, rel=NEAR, abs=3)
    assert again.edge_429 == pytest.approx(happened.edge_429, rel=0.25, abs=1.5)
    assert again.wasted == pytest.approx(happened.wasted, abs=1)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_other_settings_come_out_about_as_they_would_have_been(settings: Any) -> None:
    """The records are of the fixed spacing; the truth is what the hidden account says to the same load under the other settings."""
    played = scenario(ROUNDS, account={"limit": 25})
    happened, past, _ = lived(played, settings, spacing_seconds=2)
    assert happened.edge_429, "the limit was met, so it is known"

    def check(pair: str) -> None:
        other = miner_in_force(past.account, ["spacing_seconds=5", pair])
        truth, measured = simulate(played, other, range(3)), replayed(past, other, range(3))
        assert measured.llm == pytest.approx(truth.llm, rel=0.15)

    each_row(["spacing_seconds=2", "pacing=auto"], check)


def chain(start: float, gaps: list[float], timeout: float | None = None, tries_llm: bool = True) -> Chain:
    return Chain(start, tuple(PastStep(gap, timeout, tries_llm) for gap in gaps))


def a_past(*chains: Chain, sent: tuple[Sent, ...] = (), **more: Any) -> Past:
    return Past(0, 3600, "default", chains, sent, **more)


def answers(seconds: float, model: str = "m", outcome: Outcome = Outcome.OK) -> tuple[Sent, ...]:
    return tuple(Sent(60.0 * minute, seconds, model, outcome) for minute in range(60))


def played(past: Past, *pairs: str, models: tuple[str, ...] = ("m",)) -> Measures:
    return replayed(past, miner_with(pairs, models=models), range(2))


def test_a_replay_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    sent = tuple(Sent(60.0 * minute, 1 + minute / 10, "m", Outcome.OK) for minute in range(60))
    past, miner = a_past(chain(5, [0.0, *[2.0] * 200]), sent=sent), Miner(models=("m",))
    assert replayed(past, miner, [1]) == replayed(past, miner, [1])
    assert replayed(past, miner, [1]) != replayed(past, miner, [2])


def test_slower_answers_shift_the_steps_that_waited_for_them() -> None:
    measures = played(a_past(chain(3500, [0.0, *[2.0] * 10]), sent=answers(3)), "spacing_seconds=10")
    assert (measures.steps, measures.llm) == (11, 11)
    assert measures.p50 > 7


def test_a_deadline_that_is_tried_counts_for_steps_without_one_of_their_own() -> None:
    own, none = a_past(chain(5, [0.0], timeout=30), sent=answers(9)), a_past(chain(5, [0.0]), sent=answers(9))
    assert (played(own, "deadline_seconds=5").llm, played(none, "deadline_seconds=5").llm) == (1, 0)
    assert played(none).llm == 1


def test_a_step_for_which_no_llm_was_tried_tries_none_in_the_replay() -> None:
    assert played(a_past(chain(5, [0.0], tries_llm=False), sent=answers(3))).llm == 0


def test_a_model_answers_as_it_did_and_an_unknown_one_as_all_did() -> None:
    sent = tuple(sorted(answers(2, "quick") + answers(12, "slow"), key=lambda each: each.at))
    past = a_past(chain(50, [0.0]), sent=sent)
    assert played(past, models=("quick",)).p50 == 2
    assert played(past, models=("slow",)).p50 == 12
    assert played(past, models=("new",)).p50 in (2, 7, 12)


def test_failures_come_at_the_times_at_which_they_were_seen() -> None:
    sent = tuple(Sent(10.0 * n, 2.0, "m", Outcome.FAILED if 1000 < 10 * n < 2000 else Outcome.OK) for n in range(360))
    past = a_past(*(chain(20.0 * n, [0.0]) for n in range(180)), sent=sent)
    measures = played(past)
    assert measures.llm == pytest.approx(180 - 50, abs=12)


def test_progress_is_reported_in_order_and_to_the_end() -> None:
    heard: list[float] = []
    past = a_past(chain(5, [0.0, *[2.0] * 20]), sent=answers(3))
    measured = replayed(past, Miner(models=("m",)), range(2), heard.append)
    assert heard == sorted(heard)
    assert (len(heard), heard[0] < 0.05, heard[-1] > 0.95) == (98, True, True)
    assert measured == replayed(past, Miner(models=("m",)), range(2)), "to be heard changes nothing"


def test_nothing_came_and_nothing_is_claimed() -> None:
    assert played(a_past()) == Measures(0, 0, 0, 0, 0, 0, None, 0.0, 0.0)
    assert "No request was accepted in this time: answers are assumed to be usable, after 2 to 6 s." in assumptions(a_past())


def test_the_assumptions_are_listed() -> None:
    sentences = " ".join(assumptions(a_past(sent=answers(3))))
    assert "The account's limit was never reached in this time. It accepted up to 1 requests in a minute" in sentences
    assert "here it is assumed to accept 60, the provider's usual limit. That is not proven." in sentences
    assert "accept 90, the limit that the provider publishes." in " ".join(assumptions(a_past(sent=answers(3), published=90.0)))
    refused = Sent(3601, 0.1, "m", Outcome.REFUSED, kind=RefusalClass.EDGE)
    assert "The edge blocked the account without a cause in our pace: once" in " ".join(assumptions(a_past(sent=(*answers(3), refused))))
    left = " ".join(assumptions(a_past(elsewhere=7, changes=1, operator_pauses=1)))
    assert "7 requests went to other accounts" in left
    assert "Settings were changed" in left
    assert "Pauses by operators are left out." in left


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_the_measures_and_what_is_assumed() -> None:
    found = json.loads(printed("--last", "24h", "--miner-settings", "spacing_seconds=2", "--json"))
    assert list(found) == [*NAMES, "assumed"]
    assert found["steps"] == Step.objects.count() == 0
    assert "assumed: The account's limit was never reached in this time." in printed("--last", "90m")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "either a scenario's file or --last"),
        (["file.json", "--last", "1h"], "either a scenario's file or --last"),
        (["--last", "soon"], "--last: must be a time such as 90m, 24h or 7d"),
        (["--last", "1h", "--miner-settings", "speed=3"], "speed: unknown"),
        (["--last", "1h", "--seeds", "0"], "--seeds"),
        (["nowhere.json"], "can't be read"),
    ],
)
def test_the_command_reports_a_bad_argument_without_a_database(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("simulate", *arguments)
