"""Changes by an assistant, in two calls: a preview with a confirmation, then the same call with it. Audit has the token's name."""

import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from monitoring.assistants.calls import Refused, call, current_token, get, may
from monitoring.assistants.questions import Answer
from monitoring.web.access import CHANGE, CONTROL, SUBMIT

MINUTES = 5
MOST_OPEN = 20  # unused confirmations of a token; beyond it the oldest is dropped
AGAIN = (
    "Nothing is done yet. Show this to the person; if they agree, call again with the same arguments and this confirmation, "
    f"within {MINUTES} minutes."
)
SCOPES = {CONTROL: "operate", SUBMIT: "operate", CHANGE: "administer"}

Account = Annotated[str, Field(description="Name of the account, as state_and_why lists it")]
Confirmation = Annotated[str, Field(description="Of the preview; empty for a preview")]
Values = Annotated[dict[str, Any], Field(description="Names of settings with their new values, such as {“spacing_seconds”: 10}")]


class Confirmations:
    """Each is valid once, for MINUTES, for one token, tool and arguments."""

    def __init__(self) -> None:
        self._lock, self._open = threading.Lock(), defaultdict[int, dict[str, tuple[float, str]]](dict)

    def issue(self, token: int, call: str, now: float) -> str:
        name = secrets.token_urlsafe(12)
        with self._lock:
            own = self._open[token]
            own[name] = (now + 60 * MINUTES, call)
            while len(own) > MOST_OPEN:
                del own[next(iter(own))]
        return name

    def take(self, token: int, name: str, call: str, now: float) -> bool:
        with self._lock:
            until, issued_for = self._open[token].pop(name, (0.0, ""))
        return now < until and issued_for == call


confirmations = Confirmations()


def _in_two_calls(need: str, tool: str, arguments: Answer, confirmation: str, preview: Callable[[], Any], act: Callable[[], Any]) -> Answer:
    token = current_token()
    if not may(need):
        raise Refused(f"The token {token.name} may not do this: its scope or its user does not allow it. It needs {SCOPES[need]}.")
    call_text = json.dumps([tool, arguments], sort_keys=True)
    if not confirmation:
        shown = preview()
        return {"preview": shown, "confirmation": confirmations.issue(token.pk, call_text, time.monotonic()), "next": AGAIN}
    if not confirmations.take(token.pk, confirmation, call_text, time.monotonic()):
        raise Refused("This confirmation is used, expired, or belongs to another call. Nothing is done. Call without it for a new preview.")
    return {"done": act()}


def _on_account(tool: str, action: str, account: str, confirmation: str, body: Answer | None = None) -> Answer:
    pk = next((row["id"] for row in get("/accounts") if row["name"] == account), None)
    if pk is None:
        raise Refused(f"There is no account {account}. state_and_why lists them.")

    def preview() -> Answer:
        offered = next(row for row in get(f"/accounts/{pk}")["actions"] if row["action"] == action)
        return {"account": account, **offered, **(body or {})}

    arguments = {"account": account, **(body or {})}
    return _in_two_calls(CONTROL, tool, arguments, confirmation, preview, lambda: call("POST", f"/accounts/{pk}/{action}", body))


def pause_account(account: Account, minutes: Annotated[int, Field(ge=1, le=10_080)], confirmation: Confirmation = "") -> Answer:
    """Pause an account for some minutes. Two calls: a preview with a confirmation, then the same with it."""
    return _on_account("pause_account", "pause", account, confirmation, {"minutes": minutes})


def resume_account(account: Account, confirmation: Confirmation = "") -> Answer:
    """End the pause of an account. Two calls: a preview with a confirmation, then the same with it."""
    return _on_account("resume_account", "resume", account, confirmation)


def probe_account(account: Account, confirmation: Confirmation = "") -> Answer:
    """Probe an account with one paid request. Two calls: a preview with a confirmation, then the same with it."""
    return _on_account("probe_account", "probe", account, confirmation)


def run_tests(suites: Annotated[list[str], Field(description="Some of key, api, logs")], confirmation: Confirmation = "") -> Answer:
    """Run integration tests. Two calls: a preview with a confirmation, then the same with it. Follow the run by which_tests_fail."""
    body = {"suites": suites}
    effect = {**body, "effect": "A job sends one request for a single token per key, posts one task and one step, and reads the logs."}
    return _in_two_calls(SUBMIT, "run_tests", body, confirmation, lambda: effect, lambda: call("POST", "/test-runs", body))


def change_settings(settings: Values, reason: Annotated[str, Field(max_length=100)], confirmation: Confirmation = "") -> Answer:
    """Change settings, with a reason for the history. Two calls: a preview with a confirmation, then the same with it."""
    body = {"settings": settings, "reason": reason}
    preview, act = (lambda: call("POST", "/settings/preview", body)), (lambda: call("PATCH", "/settings", body)["values"])
    return _in_two_calls(CHANGE, "change_settings", body, confirmation, preview, act)


def what_if(settings: Values | None = None, hours: Annotated[int, Field(description="1, 6, 24 or 168")] = 24) -> Answer:
    """What would other settings of the pacing have done on the last hours? Where settings are given, starts a simulation, which takes up to
    two minutes. Gives its job's id and the latest result. Changes nothing of the miner."""
    job = call("POST", "/what-if", {"settings": settings, "hours": hours})["id"] if settings else None
    runs = get("/what-if")
    latest = next((run for run in runs if run["state"] == "succeeded"), None)
    under_way = next((run for run in runs if run["id"] == job), None)
    return {"job": job, "started": under_way, "latest_result": latest, "offer": get("/what-if/offer")}


CHANGES = (pause_account, resume_account, probe_account, run_tests, change_settings)
