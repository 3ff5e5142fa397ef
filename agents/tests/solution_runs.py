"""Runs of the tasks of `solution_sites`: by their scripted actions as the LLM's replies, and by the template agent."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from urllib.parse import parse_qsl, urljoin, urlsplit

from agents import template
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.learning.reading.runs import RunStep, learned
from agents.page import Page, read
from agents.page.past import action_in_words
from agents.prompting.prompt import question
from agents.prompting.replies import plan_from_reply
from agents.template.solutions.solution import Solution
from agents.tests.mini_server import Served
from agents.tests.site_browser import Fetch, in_steps
from agents.tests.solution_sites import SeededSite, Trial

_NUMBERED = re.compile(r'(?<![\w"])(\d{1,4}) ((?:[a-z]+) "[^"\n]*")')
_SELECTS = "listbox"


def start(seed: int) -> str:
    return f"http://127.0.0.1:8000/?seed={seed}"


def in_memory(site: Served) -> Fetch:
    def fetch(url: str, sent: dict[str, str] | None) -> tuple[str, str]:
        if sent is not None:
            url = f"{urljoin(url, site.post(urlsplit(url).path, sent))}?seed={site.seed}"
        parts = urlsplit(url)
        return url, site.get(parts.path, dict(parse_qsl(parts.query)))

    return fetch


def reply(trial: Trial, values: Mapping[str, str], part: int, prompt: str) -> str:
    """An LLM's reply to the prompt of the task's step number `part`. Raises AssertionError where a control is not shown."""
    made = list[dict[str, object]]()
    for action in trial.actions[part]:
        own = [values[name] for name in ("code", "vessel") if name in values]
        lines = (line for line in prompt.splitlines() if not action.in_item or any(value in line for value in own))
        hits = [
            hit
            for line in lines
            for hit in _NUMBERED.finditer(line)
            if re.match(action.control.replace("{width}", values.get("width", "")), hit[2])
        ]
        assert hits, f"{action} is not in {prompt}"
        kind = "ClickAction" if not action.text else "SelectDropDownOptionAction" if hits[0][2].startswith(_SELECTS) else "TypeAction"
        text = {"text": action.text.format(**values)} if action.text else {}
        made.append({"type": kind, "element": int(hits[0][1]), **text})
    return json.dumps({"actions": made, "done": not made})


def by_llm(trial: Trial, seed: int) -> Callable[[Step, Page], Plan]:
    """Plans the steps of a task at a seed, in order, from an LLM's replies."""
    parts = count()

    def planned(step: Step, page: Page) -> Plan:
        llm_prompt = question(step, page)
        text = reply(trial, trial.values(seed), next(parts), llm_prompt.messages[-1]["content"])
        return plan_from_reply(text, step=step, shown=llm_prompt.shown)

    return planned


def scripted(trial: Trial, seed: int) -> tuple[SeededSite, list[RunStep]]:
    """The run of a task and the site afterwards."""
    site, run, planned = trial.site(seed), list[RunStep](), by_llm(trial, seed)

    def agent(url: str, html: str, index: int, history: Sequence[PastAction]) -> Plan:
        page = read(html, url)
        plan = planned(Step("/step", Form.STEP, "t", trial.prompt(seed), url, html, index, tuple(history)), page)
        run.append(RunStep(page, [action.as_action() for action in plan.actions]))
        return plan

    in_steps(agent, start(seed), fetch=in_memory(site))
    return site, run


def by_template(trial: Trial, seed: int, solutions: Sequence[Solution] = (), *, first_only: bool = False) -> SeededSite:
    """The site after the template agent's run, with the history completed by our records."""
    site, texts, learned_at = trial.site(seed), list[str](), list[tuple[int, int]]()

    def agent(url: str, html: str, index: int, history: Sequence[PastAction]) -> Plan:
        page = read(html, url)
        recorded = zip(history, texts, learned_at, strict=True)
        known = tuple(replace(past, words=words, learned=at) for past, words, at in recorded)
        plan = template.plan(Step("/step", Form.STEP, "t", trial.prompt(seed), url, html, index, known), page, solutions=solutions)
        ran = plan.actions[: 1 if first_only else None]
        texts.extend(action_in_words(action, page) for action in ran)
        learned_at.extend((plan.solution, plan.reached[at]) if plan.reached else (0, 0) for at in range(len(ran)))
        return plan

    in_steps(agent, start(seed), fetch=in_memory(site), first_only=first_only)
    return site


def solutions_of(trials: Iterable[Trial], seeds: Sequence[int]) -> list[Solution]:
    solutions = list[Solution]()
    for trial in trials:
        for seed in seeds:
            site, run = scripted(trial, seed)
            assert trial.is_done(site, seed)
            shown = learned(trial.prompt(seed), run, seed)
            new = next(filter(None, (solution.merged(shown) for solution in solutions)), shown)
            solutions = [old for old in solutions if not set(old.steps) <= set(new.steps) or old.sign != new.sign] + [new]
    return [replace(solution, id=number) for number, solution in enumerate(solutions, 1)]


def won(trial: Trial, seeds: Iterable[int], solutions: Sequence[Solution] = (), *, first_only: bool = False) -> list[int]:
    """The seeds at which the template agent solves the task."""
    return [seed for seed in seeds if trial.is_done(by_template(trial, seed, solutions, first_only=first_only), seed)]
