"""What the template agent would make of a task, and why: for whoever improves a recipe. Nothing is written, sent or queued."""

import json
from dataclasses import dataclass

from agents.configuration.known_sites import known_sites
from agents.contract.protocol import Form, parse, render
from agents.page import read
from agents.template import plan
from agents.template.explain import candidates, understanding
from agents.template.prompt.intents import understand

_ENDPOINTS = {Form.ONE_SHOT: "/solve_task", Form.STEP: "/step"}


@dataclass(frozen=True, slots=True)
class Trial:
    """Lines of text; `answer` as JSON, as it would leave."""

    understanding: list[str]
    candidates: list[str]
    plan: list[str]
    actions: list[str]
    answer: str


def trial(prompt: str, url: str, *, page: str = "", project: str = "", form: Form = Form.STEP) -> Trial:
    """The task as if a caller had posted it as its first step. Raises BadRequest for what no caller's request can be."""
    request = {"id": "try", "task_id": "try", "prompt": prompt, "url": url, "html": page, "web_project_id": project}
    step = parse(_ENDPOINTS[form], json.dumps(request).encode())
    intent = understand(step.prompt)
    seen = read(step.page, step.url) if step.page else None
    made = plan(step, seen, known_sites())
    return Trial(
        understanding=list(understanding(intent)),
        candidates=list(candidates(intent, seen)),
        plan=[f"{made.reasoning}{' Done.' if made.done else ''}", f"Confidence {made.confidence:.2f}: {made.confidence_why}"],
        actions=[action.in_words() for action in made.actions],
        answer=json.dumps(render(step, made, agent_id="template"), ensure_ascii=False, indent=2),
    )
