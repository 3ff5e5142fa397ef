"""The template agent repeats what a provider did: sites, provider and miner are servers, and each site differs by seed."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.utils import timezone

from agents.configuration import change
from agents.contract.action_types import kind_of
from agents.contract.actions import validate
from agents.contract.protocol import PastAction, Plan
from agents.devtools.fake_chutes.completions import completed, read
from agents.devtools.fake_chutes.server import Answer, Server
from agents.devtools.fake_chutes.server import Request as Arrival
from agents.hybrid import page_archive
from agents.learning import job, maps
from agents.learning.solutions import QUIET
from agents.models import Learned, Route, Step
from agents.policy.modes import Mode
from agents.template.solutions.solution import MOST_LOST
from agents.tests.mini_server import MiniServer, mini_server
from agents.tests.site_browser import in_steps
from agents.tests.solution_runs import reply
from agents.tests.solution_sites import FERRY, SHED, USUAL, SeededSite, Trial

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

SEEDS, NEW_SEEDS = (1, 2, 3), range(201, 203)


class Provider:
    """Plays the LLM, with the solution of the current task."""

    def __init__(self) -> None:
        self.reply: Callable[[str], str] = str
        self.server = Server(self.answer, 0)

    def plays(self, trial: Trial, seed: int) -> None:
        parts = count()
        self.reply = lambda prompt: reply(trial, trial.values(seed), next(parts), prompt)

    def answer(self, arrival: Arrival) -> Answer:
        chat = read(arrival.body)
        assert not isinstance(chat, str)
        return completed(chat, chat.model, self.reply(chat.texts[-1][1]), None).answer("id", 0, {}, None)


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    made = Provider()
    made.server.start()
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = "cpk_none", f"{made.server.url}/v1", ("Qwen/Qwen3-32B-TEE",)
    change({"spacing_seconds": 0}, by=None, reason="test")
    maps.forget()
    yield made
    made.server.stop()


@pytest.fixture(scope="module")
def sites() -> Iterator[MiniServer]:
    with mini_server() as server:
        yield server


class Validator:
    """Runs tasks in steps. `nameless`: like the subnet's loop, only the first action of a reply, and a history without selectors. `ends`: it
    ends a task as soon as it is done. `goes_on`: it continues after the miner reports it as done."""

    def __init__(self, miner: str, sites: MiniServer) -> None:
        self.miner, self.sites, self.tasks = miner, sites, 0

    def runs(self, trial: Trial, seed: int, *, nameless: bool = False, goes_on: bool = False, ends: bool = False) -> SeededSite:
        site, self.tasks = trial.site(seed), self.tasks + 1
        task, prompt = f"t{self.tasks}", trial.prompt(seed)

        def agent(url: str, html: str, index: int, history: Sequence[PastAction]) -> Plan:
            entries = [_nameless(past) if nameless else _named(past) for past in history]
            body = {"task_id": task, "prompt": prompt, "url": url, "html": html, "step_index": index, "history": entries}
            request = Request(f"{self.miner}/step", json.dumps(body).encode(), {"Content-Type": "application/json"})
            with urlopen(request, timeout=30) as answer:
                plan = json.load(answer)
            actions = [validate({"type": _type(call["name"]), **call["arguments"]}) for call in plan["tool_calls"]]
            return Plan(tuple(actions), done=plan["done"] and not goes_on)

        most = 5 if goes_on else 12
        in_steps(agent, self.sites.serves(site), most=most, first_only=nameless, until=lambda: ends and trial.is_done(site, seed))
        page_archive.waiting.join()
        return site

    def won(self, trials: Sequence[Trial], *, nameless: bool = False) -> list[list[int]]:
        return [[seed for seed in NEW_SEEDS if trial.is_done(self.runs(trial, seed, nameless=nameless), seed)] for trial in trials]


def _type(tool: str) -> str:
    kind = kind_of(tool)
    assert kind
    return kind.type


def _named(past: PastAction) -> dict[str, Any]:
    return {"index": past.number, "action": {"type": past.type, **past.fields}, "success": past.succeeded, "url": past.url}


def _nameless(past: PastAction) -> dict[str, Any]:
    return {"step": past.number, "action": past.type, "text": past.fields.get("text"), "exec_ok": past.succeeded, "error": None}


@pytest.fixture
def validator(live_server: Any, sites: MiniServer) -> Validator:
    return Validator(live_server.url, sites)


def use(mode: Mode, **more: Any) -> None:
    change({"agent_mode": mode, **more}, by=None, reason="test")


def learn(later: timedelta = timedelta()) -> None:
    job.learn(timezone.now() + later)
    maps.forget()


def teach(provider: Provider, validator: Validator, trial: Trial, seeds: Sequence[int] = SEEDS) -> None:
    """The provider solves the kind of task at each of the seeds."""
    for seed in seeds:
        provider.plays(trial, seed)
        assert trial.is_done(validator.runs(trial, seed), seed)
    learn()


def test_a_task_that_a_provider_solved_three_times_is_solved_without_it_at_new_seeds(provider: Provider, validator: Validator) -> None:
    trials = [SHED["loan"], FERRY["crew"]]
    use(Mode.HYBRID)
    for trial in trials:
        teach(provider, validator, trial)
    assert Step.objects.filter(route=Route.LLM).exists()
    assert {(row.won, row.lost, len(row.facts["steps"])) for row in Learned.objects.filter(kind=Learned.Kind.SOLUTION)} == {(0, 0, 3)}

    use(Mode.TEMPLATE)
    for nameless in (False, True):
        assert validator.won(trials, nameless=nameless) == [[*NEW_SEEDS]] * len(trials)
    learn()
    rows = Learned.objects.filter(kind=Learned.Kind.SOLUTION)
    assert [(row.won, row.lost) for row in rows] == [(2 * len(NEW_SEEDS), 0)] * len(trials)
    used = Step.objects.filter(limits__solution__gt=0).exclude(route=Route.LLM)
    assert used.exists()
    assert all("Learned solution" in step.confidence_why and "step" in step.confidence_why for step in used)


OIL = SHED["oil"]


def records() -> list[tuple[str, int, int]]:
    return [(row.callers, row.won, row.lost) for row in Learned.objects.filter(kind=Learned.Kind.SOLUTION)]


def test_an_unknown_callers_solutions_are_used_for_its_own_tasks_only(provider: Provider, validator: Validator) -> None:
    use(Mode.HYBRID, allowed_callers=["192.0.2.0/24"])
    teach(provider, validator, OIL, SEEDS[:1])
    assert [callers for callers, *_ in records()] == ["127.0.0.1"]
    use(Mode.TEMPLATE)
    assert OIL.is_done(validator.runs(OIL, 201), 201)
    use(Mode.TEMPLATE, allowed_callers=["127.0.0.0/8"])
    assert not OIL.is_done(validator.runs(OIL, 202), 202)


def test_a_solution_whose_tasks_go_on_after_its_end_is_dropped(provider: Provider, validator: Validator) -> None:
    teach(provider, validator, OIL, SEEDS[:1])
    use(Mode.TEMPLATE)
    for lost in range(1, MOST_LOST + 1):
        validator.runs(OIL, 200 + lost, goes_on=True)
        learn()
        assert [(won, lost) for _, won, lost in records()] == [(0, lost)]
    assert not OIL.is_done(validator.runs(OIL, 205), 205)
    use(Mode.HYBRID)
    teach(provider, validator, OIL, SEEDS[1:2])
    assert [(won, lost) for _, won, lost in records()] == [(0, MOST_LOST)], "a failed solution is not learned again"


def test_nothing_is_learned_from_a_run_that_goes_on_after_its_end(provider: Provider, validator: Validator) -> None:
    provider.plays(OIL, 1)
    plays = provider.reply
    provider.reply = lambda prompt: plays(prompt) if "nothing yet" in prompt else '{"actions": [], "done": true}'
    validator.runs(OIL, 1, goes_on=True)
    learn()
    assert records() == []


def test_a_step_is_answered_where_a_solution_cannot_be_read(provider: Provider, validator: Validator) -> None:
    Learned.objects.create(
        site=f"127.0.0.1:{validator.sites.server_port}", kind="solution", key="x", facts=[1], size=1, seen_at=timezone.now()
    )
    use(Mode.TEMPLATE)
    detail = USUAL["detail"]
    assert detail.is_done(validator.runs(detail, 201), 201)


def test_of_a_caller_that_ends_tasks_itself_the_ended_ones_are_learned_and_not_the_others(provider: Provider, validator: Validator) -> None:
    for seed in SEEDS:
        provider.plays(OIL, seed)
        validator.runs(OIL, seed, ends=True)
        learn(later=2 * QUIET)
    assert len(records()) == 1, "the third shows that the caller ends tasks itself"
    learn(later=5 * QUIET)
    row = Learned.objects.get(kind=Learned.Kind.SOLUTION)
    assert len(row.facts["steps"]) == len(SEEDS), "the earlier ones are learned then"
    use(Mode.TEMPLATE)
    assert OIL.is_done(validator.runs(OIL, 201, ends=True), 201)
    learn(later=2 * QUIET)
    assert [(won, lost) for _, won, lost in records()] == [(1, 0)]
    validator.runs(OIL, 202)  # the miner reports it as done, but the caller had not ended it
    learn(later=2 * QUIET)
    assert [(won, lost) for _, won, lost in records()] == [(1, 1)]
