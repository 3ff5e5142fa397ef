"""The live API test's findings in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents.health import Health
from agents.models import Route, Step
from agents.reasons import Reason
from monitoring.models import Result
from monitoring.suites.contract import Checked
from monitoring.suites.findings import Finding

if TYPE_CHECKING:
    from monitoring.suites.api import Reply

NAMES = {"task": "a one-shot task", "step": "a step"}
SHOWN_BODY = 200
TOLD = {"status": "status", "agent_type": "agent", "version": "version"}
LOOK_AT_THE_LOG = "Look at the miner's log for this time."
ANSWER_IN_TIME = "See that the miner answers in time whatever its LLM does."


def health(url: str, reply: Reply) -> Finding:
    """`/health`, of ours or of any other miner."""
    done = f"GET {url}/health"
    facts: dict[str, Any] = {"latency": round(reply.seconds, 3), "status": reply.status}
    if reply.status == 0:
        meaning = "The miner's API can't be reached: validators get nothing from it."
        step = "Start the miner, or check its address and port in the settings."
        return Finding("health", Result.FAIL, url, done, _nothing(reply), meaning, step, facts)
    if reply.status >= 400:
        step = "Look at the miner's log, and check the address in the settings."
        return Finding("health", Result.FAIL, url, done, _status(reply), "Validators take this miner for dead.", step, facts)
    told = _object(reply.body)
    if told is None:
        step = "Check that the address is the miner's own."
        meaning = "Something answers there, but not with a miner's health."
        return Finding("health", Result.WARN, url, done, _status(reply), meaning, step, facts)
    words = [f"{label} {told[name]}" for name, label in TOLD.items() if told.get(name)]
    llm = told.get("llm")
    if isinstance(llm, dict) and llm.get("message"):
        words.append(f"LLM: {llm['message']}")
    facts |= {"agent_type": told.get("agent_type"), "version": told.get("version")}
    return Finding("health", Result.OK, url, done, f"{_status(reply)} {'; '.join(words)}", "The API is up.", facts=facts)


def answered(name: str, url: str, reply: Reply, checked: Checked, deadline: float) -> Finding:
    """The answer to the task or step against the contract."""
    done = f"POST {url}: {NAMES[name]}, to be answered in {deadline:g} s."
    facts: dict[str, Any] = {"latency": round(reply.seconds, 3), "status": reply.status, "actions": len(checked.actions)}
    if reply.status == 0:
        meaning = f"No answer to {NAMES[name]}: it scores nothing."
        return Finding(name, Result.FAIL, url, done, _nothing(reply), meaning, LOOK_AT_THE_LOG, facts)
    if reply.status != 200:
        meaning = f"{NAMES[name].capitalize()} was not answered with a 200."
        return Finding(name, Result.FAIL, url, done, _status(reply), meaning, LOOK_AT_THE_LOG, facts, _shown(reply))
    late = _late(reply.seconds, deadline)
    if checked.faults or late:
        said = f"{len(checked.faults)} faults against the contract." if len(checked.faults) > 1 else "".join(checked.faults)
        step = ANSWER_IN_TIME if late else "See the faults below; callers drop such answers."
        return Finding(name, Result.FAIL, url, done, _status(reply), f"{late}{said}".strip(), step, facts, checked.faults)
    count = len(checked.actions)
    words = tuple(action.in_words() for action in checked.actions)
    meaning = f"Answered in time with {count} valid action{'' if count == 1 else 's'}."
    return Finding(name, Result.OK, url, done, _status(reply), meaning, facts=facts, lines=words)


def answered_by(name: str, step: Step | None, now: Health | None) -> Finding:
    """Who answered, and why. `step` None: another machine's, or not on record."""
    check = f"{name} by"
    if step is None:
        return Finding(check, Result.SKIPPED, meaning="Whether the LLM or the template agent answered can't be told from outside.")
    reason = Reason(step.reason).sentence if step.reason else ""
    facts = {"route": step.route, "reason": step.reason, "step": step.pk}
    if step.route == Route.LLM:
        return Finding(check, Result.OK, came_back="The LLM answered.", meaning="The LLM is used.", facts=facts)
    is_chosen = step.reason in (Reason.MODE, Reason.DISABLED)
    verdict = Result.OK if is_chosen else Result.WARN
    meaning = "The template agent answered, as it is set." if is_chosen else "Fell back to the template agent."
    next_step = "" if is_chosen else (now.sentence if now and now.state != "open" else "Run the test again; look at the task's page.")
    return Finding(check, verdict, came_back=reason, meaning=meaning, next_step=next_step, facts=facts)


def _late(seconds: float, deadline: float) -> str:
    if seconds <= deadline:
        return ""
    return f"The answer came {seconds - deadline:.1f} s after the deadline of {deadline:g} s, so nobody waited for it. "


def _status(reply: Reply) -> str:
    return f"Status {reply.status} after {reply.seconds:.2f} s."


def _nothing(reply: Reply) -> str:
    why = "no answer in time" if reply.fault == "timeout" else reply.fault
    return f"Nothing after {reply.seconds:.1f} s: {why}."


def _shown(reply: Reply) -> tuple[str, ...]:
    text = reply.body[:SHOWN_BODY].decode("utf-8", "replace")
    return (text,) if text.strip() else ()


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
