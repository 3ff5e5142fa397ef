"""What the worker learns from."""

from dataclasses import dataclass
from datetime import datetime

from agents.contract.protocol import Step
from agents.learning.store import Place
from agents.models import Step as StepRow


@dataclass(frozen=True, slots=True)
class Seen:
    """An answered step: its `row`, the `step` as it came, with its page, and where its facts belong."""

    row: StepRow
    step: Step
    place: Place
    now: datetime
