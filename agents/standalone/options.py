"""Options of the standalone agent. The exporter writes them into `main.py`."""

from dataclasses import dataclass

from agents.policy.modes import Mode, Use
from agents.policy.routing import Rules


@dataclass(frozen=True, slots=True)
class Options:
    """`models`: as the gateway names them, in the order in which they are tried; `seconds`: in which a step is answered."""

    mode: str = Mode.HYBRID
    llm_use: str = Use.ALWAYS
    models: tuple[str, ...] = ()
    seconds: float = 25.0

    @property
    def rules(self) -> Rules:
        return Rules(Mode(self.mode), Use(self.llm_use), deadline_seconds=self.seconds)
