"""Runs of the kinds of task of `solution_sites`: by somebody who knows the site and answers the LLM's prompts, and by the template agent."""

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
    """As an LLM would answer the prompt of the task's step number `part`. Raises AssertionError where it does not show a control."""
    actions = list[dict[str, object]]()
    for deed in trial.deeds[part]:
        own = [values[name] for name in ("code", "vessel") if name in values]
        lines = (line for line in prompt.splitlines() if not deed.in_item or any(value in line for value in own))
        found = [
            hit
            for line in lines
            for hit in _NUMBERED.finditer(line)
            if re.match(deed.control.replace("{width}", values.get("width", "")), hit[2])
        ]
        assert found, f"{deed} is not in {prompt}"
        kind = "ClickAction" if not deed.text else "SelectDropDownOptionAction" if found[0][2].startswith(_SELECTS) else "TypeAction"
        text = {"text": deed.text.format(**values)} if deed.text else {}
        actions.append({"type": kind, "element": int(found[0][1]), **text})
    return json.dumps({"actions": actions, "done": not actions})


def by_llm(trial: Trial, seed: int) -> Callable[[Step, Page], Plan]:
    """Plans the steps of a task at a seed as an LLM would, in their order."""
    parts = count()

    def planned(step: Step, page: Page) -> Plan:
        asked = question(step, page)
        said = reply(trial, trial.values(seed), next(parts), asked.messages[-1]["content"])
        return plan_from_reply(said, step=step, shown=asked.shown)

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
    """The site after the template agent's run, with the history as our records complete it."""
    site, said = trial.site(seed), list[str]()

    def agent(url: str, html: str, index: int, history: Sequence[PastAction]) -> Plan:
        page = read(html, url)
        known = tuple(replace(past, words=words) for past, words in zip(history, said, strict=True))
        plan = template.plan(Step("/step", Form.STEP, "t", trial.prompt(seed), url, html, index, known), page, solutions=solutions)
        said.extend(action_in_words(action, page) for action in plan.actions[: 1 if first_only else None])
        return plan

    in_steps(agent, start(seed), fetch=in_memory(site), first_only=first_only)
    return site


def solutions_of(trials: Iterable[Trial], seeds: Sequence[int]) -> list[Solution]:
    known = list[Solution]()
    for trial in trials:
        for seed in seeds:
            site, run = scripted(trial, seed)
            assert trial.is_done(site, seed)
            shown = learned(trial.prompt(seed), run, seed)
            new = next(filter(None, (one.merged(shown) for one in known)), shown)
            known = [one for one in known if not set(one.steps) <= set(new.steps) or one.sign != new.sign] + [new]
    return [replace(one, id=number) for number, one in enumerate(known, 1)]


def won(trial: Trial, seeds: Iterable[int], solutions: Sequence[Solution] = (), *, first_only: bool = False) -> list[int]:
    """The seeds at which the template agent does the task."""
    return [seed for seed in seeds if trial.is_done(by_template(trial, seed, solutions, first_only=first_only), seed)]
