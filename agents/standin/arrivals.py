"""What reached the stand-in: every request with its time, bounded, for tests and measurements."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000  # about 5 MB; more than an hour at the highest rate that a test sends


@dataclass(frozen=True, slots=True)
class Arrival:
    """`at`: wall-clock s; `status` 0: no answer was sent; `fault` "" when nothing was made to go wrong; `in_ban`: sent in a ban."""

    at: float
    method: str
    path: str
    status: int
    model: str
    task_id: str
    fault: str
    in_ban: bool = False


class Arrivals:
    """The latest arrivals and the counts of all."""

    def __init__(self) -> None:
        self._latest: deque[Arrival] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()

    def add(self, arrival: Arrival) -> None:
        self._latest.append(arrival)
        self._counts[str(arrival.status)] += 1

    def as_json(self) -> dict[str, Any]:
        """`arrivals`, earliest first, and `counts` by status."""
        latest = sorted(self._latest, key=lambda arrival: arrival.at)
        return {"arrivals": [asdict(arrival) for arrival in latest], "counts": dict(self._counts)}
