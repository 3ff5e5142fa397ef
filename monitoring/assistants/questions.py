"""An operator's questions, each answered by one call, with the evidence. An assistant reads each function's docstring."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from monitoring.assistants.calls import Refused, get, marked

Answer = dict[str, Any]
Span = Literal["1h", "6h", "24h", "7d", "30d"]
FilterLine = Annotated[str, Field(description="As on the panel's pages: route:template reason:paused status:429 state:late since:2h")]
SHOWN = 20
LOOKBACK = timedelta(hours=6)  # in which changes may explain a fall of the LLM's share
LEAST_STEPS = 5  # on each side of a point in time; with fewer, a difference is chance


def state_and_why() -> Answer:
    """What is the miner doing now, is the LLM used, why not, and what fails? With the evidence."""
    components = get("/health")["components"]
    notices = get("/notices")["items"]
    return {
        "status": get("/status"),
        "accounts": get("/accounts"),
        "in_trouble": [row for row in components if row["status"] in ("down", "degraded")],
        "open_notices": [row for row in notices if row["over_at"] is None],
        "last_hour": get("/figures", range="1h")["figures"],
    }


def why_not_the_llm(
    step: Annotated[int | None, Field(description="Id of the step; none: the newest one without the LLM")] = None,
) -> Answer:
    """Why was this step not answered by the LLM? Its decision, attempts, the settings then in force, and the refusal behind a pause."""
    if step is None:
        newest = get("/steps", q="route:template")["items"]
        if not newest:
            raise Refused("No step was answered without the LLM.")
        step = newest[0]["id"]
    detail = get(f"/steps/{step}")
    at = datetime.fromisoformat(detail["received_at"])
    pauses = [row for row in get("/events", scope="account")["items"] if _covers(row, at)]
    return {"why": detail["reason_sentence"], "step": detail, "refusals_that_paused_an_account_then": pauses}


def _covers(event: Answer, at: datetime) -> bool:
    ended = event["recovered_at"] or event["ended_at"]
    return datetime.fromisoformat(event["started_at"]) <= at and (ended is None or at <= datetime.fromisoformat(ended))


def when_does_the_limit_reset() -> Answer:
    """When does the rate limit reset, and what is the evidence? For each account: time, range, source and confidence; and how accurate
    predictions of each source were."""
    names = ("name", "state", "sentence", "cause", "remedy", "paused_until", "expected", "belief")
    return {
        "accounts": [{name: row[name] for name in names} for row in get("/accounts")],
        "how_good_predictions_were": get("/events/accuracy"),
        "latest_events": get("/events")["items"][:5],
    }


def what_changed(span: Span = "24h") -> Answer:
    """What changed before answers got worse? When the LLM's share fell most within the span, and what people and the machine did in the six
    hours before."""
    figures = get("/figures", range=span)
    fall = _fall(figures["bars"])
    shown: Answer = {"figures_and_the_span_before": figures["figures"], "fell_most": fall}
    began, until = (fall["from"], fall["until"]) if fall else (figures["range"]["end"],) * 2
    times = {"since": (datetime.fromisoformat(began) - LOOKBACK).isoformat(), "until": until}
    done, changed = get("/audit", **times)["items"][:SHOWN], get("/test-runs/changed")
    return {**shown, "done_in_the_six_hours_before": done, "tests_that_changed": changed}


def _fall(bars: Sequence[Answer]) -> Answer | None:
    """The bar at which the LLM's share fell most, from the bars before it to those from it on; None if it never fell."""
    falls: list[tuple[float, Answer]] = []
    for index in (index for index in range(1, len(bars)) if bars[index]["tally"]["answered"]):
        before, after = (_share([bar["tally"] for bar in side]) for side in (bars[:index], bars[index:]))
        if before is not None and after is not None and after < before:
            shares = {"llm_percent_before": round(before, 1), "llm_percent_after": round(after, 1)}
            falls.append((before - after, {"from": bars[index]["start"], "until": bars[index]["end"], **shares}))
    return max(falls, key=lambda fall: fall[0])[1] if falls else None


def _share(tallies: Sequence[Answer]) -> float | None:
    answered = sum(tally["answered"] for tally in tallies)
    return 100 * sum(tally["llm"] for tally in tallies) / answered if answered >= LEAST_STEPS else None


def which_tests_fail() -> Answer:
    """Which integration tests fail, since when, what does that mean, and what is the next step?"""
    return {"failing": get("/test-runs/failing"), "newest_runs": get("/test-runs")["items"][:3]}


def what_costs_most(span: Span = "24h") -> Answer:
    """What costs most? The cost of the span and of the one before, by project and kind of task, and the costliest LLM attempts."""
    figures, comparison = get("/figures", range=span), get("/compare", range=span)
    return {
        "cost_usd": figures["total"]["cost"],
        "before_usd": figures["before"]["cost"],
        "tokens": figures["total"]["tokens"],
        **{f"by_{name}": _costs(comparison[name]) for name in ("projects", "kinds", "miners")},
        "costliest_attempts": get("/attempts", sort="costliest", q=f"since:{span}")["items"][:5],
    }


def _costs(pairs: Sequence[Answer]) -> list[Answer]:
    rows = [
        {
            **marked({"project": pair["name"]}),
            "usd": round(float(pair["llm"]["cost"] or 0) * pair["llm"]["steps"], 6),
            "llm_steps": pair["llm"]["steps"],
        }
        for pair in pairs
    ]
    return sorted(rows, key=lambda row: -float(row["usd"]))[:SHOWN]


def health() -> Answer:
    """Is everything healthy? Components, the worker, jobs that wait, run or failed, and periodic work."""
    return {**get("/health"), "jobs": get("/jobs"), "schedules": get("/schedules")}


def figures(span: Span = "24h", miner: str = "") -> Answer:
    """How well was answered? Key figures of the span beside those of the span before, and by miner."""
    answer = get("/figures", range=span, miner=miner)
    return {name: answer[name] for name in ("range", "figures", "total", "before", "miners")}


def steps(q: FilterLine = "", sort: Literal["newest", "oldest", "longest"] = "newest") -> Answer:
    """Which steps match a filter line? The first 20, and how many there are."""
    return _first_items(get("/steps", q=q, sort=sort))


def attempts(q: FilterLine = "", sort: Literal["newest", "oldest", "longest", "costliest"] = "newest") -> Answer:
    """Which LLM attempts match a filter line? The first 20, and how many there are."""
    return _first_items(get("/attempts", q=q, sort=sort))


def task(task: Annotated[int, Field(description="Id of the task")]) -> Answer:
    """What happened in a task? Its steps with decision, attempts and actions."""
    return dict(get(f"/tasks/{task}"))


def callers() -> Answer:
    """Who calls the miner, how often, and what share of the LLM do they get? Also calls of paths that the miner does not serve."""
    return {"callers": get("/callers")["items"][:SHOWN], "unknown_paths": get("/callers/unknown-paths")[:SHOWN]}


def settings() -> Answer:
    """Which settings are in force, within which bounds, and when does a change take effect? With the latest changes."""
    return {"fields": get("/settings")["fields"], "latest_changes": get("/settings/history")["items"][:SHOWN]}


def audit(who: str = "", what: str = "") -> Answer:
    """What did people, programs and the machine do? The newest 20 entries. `who`: a user's name; `what`: such as settings, pause, token."""
    return _first_items(get("/audit", who=who, what=what))


def _first_items(page: Answer) -> Answer:
    return {"items": page["items"][:SHOWN], "count": page["count"], "there_are_more": page["is_capped"]}


QUESTIONS = (
    state_and_why,
    why_not_the_llm,
    when_does_the_limit_reset,
    what_changed,
    which_tests_fail,
    what_costs_most,
    health,
    figures,
    steps,
    attempts,
    task,
    callers,
    settings,
    audit,
)
