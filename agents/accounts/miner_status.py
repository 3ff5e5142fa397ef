"""The state for `GET /health`, read by a thread every REFRESH_SECONDS, so that requests wait neither for steps nor for the database."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import close_old_connections

from agents.accounts import status
from agents.accounts.status import USABLE, AccountState, AccountStatus
from agents.database import ANSWERING_PATIENCE, UNAVAILABLE, ends_after
from agents.ledger.unknown_calls import unknown_calls
from agents.models import Settings
from agents.policy.modes import Mode
from agents.policy.reasons import PauseSource, Reason
from agents.policy.reset_times import Prediction

logger = logging.getLogger(__name__)

# The greatest age of the state in memory, in seconds, while the database answers. Monitors read it every ten seconds or less often.
REFRESH_SECONDS = 2.0
CLOCK = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the account that represents the miner. `resets_at`: its expected recovery; `source`: where that time comes from."""

    agent_type: str
    state: str
    sentence: str
    resets_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    health: Health
    read_at: datetime | None


class Memory:
    def __init__(self) -> None:
        self.latest = Reading(Health(Mode.HYBRID, "unknown", "The state has not been read yet."), None)

    def refresh(self) -> None:
        now = time.time()
        with ends_after(ANSWERING_PATIENCE):
            self.latest = Reading(health(now), datetime.fromtimestamp(now, UTC))

    def keep_current(self) -> None:
        threading.Thread(target=self._refresh_for_ever, name="health", daemon=True).start()

    def _refresh_for_ever(self) -> None:
        while True:
            close_old_connections()
            try:
                self.refresh()
                unknown_calls.write()
            except Exception:
                # The next reading may succeed; `read_at` shows how old this one is.
                logger.exception("The miner's state could not be read.")
            time.sleep(REFRESH_SECONDS)


memory = Memory()


def health(now: float) -> Health:
    """Raises nothing: a database that can't be read makes the state unknown."""
    try:
        mode = Mode(Settings.current().agent_mode)
        snapshot = status.foremost(status.account_statuses(now), now)
    except UNAVAILABLE:
        return Health(Mode.HYBRID, "unknown", "The database can't be read. The template agent answers.")
    state = snapshot.state(now)
    if state in USABLE:
        return Health(mode, AccountState.OPEN, snapshot.models_remedy or "The LLM is available.")
    if state is AccountState.OFF:
        return Health(mode, state, snapshot.obstacle.sentence if snapshot.obstacle else "")
    expected = snapshot.expected(now)
    sentence = snapshot.cause_sentence if state is AccountState.STOPPED else snapshot.explanation
    sentence = sentence or f"{_gate(snapshot, state, now)} {_range(expected)}".strip()
    back_at = datetime.fromtimestamp(expected.at, UTC) if expected and expected.at is not None else None
    return Health(mode, state, sentence, back_at, expected.source.sentence if expected else "")


def _gate(snapshot: AccountStatus, state: AccountState, now: float) -> str:
    if state is AccountState.PROBING:
        return "The pause is over. The next step probes the account."
    if snapshot.is_paused_by_operator(now):
        return f"Paused by an operator until {datetime.fromtimestamp(snapshot.gate.paused_until, UTC):{CLOCK}}."
    return Reason.PAUSED.sentence


def _range(expected: Prediction | None) -> str:
    """Empty where the recovery is a single time or unknown."""
    if expected is None or expected.source is PauseSource.OPERATOR or expected.earliest is None or expected.latest is None:
        return ""
    earliest, latest = (datetime.fromtimestamp(time, UTC) for time in (expected.earliest, expected.latest))
    return f"Expected back from {earliest:{CLOCK}} to {latest:{CLOCK}}."
