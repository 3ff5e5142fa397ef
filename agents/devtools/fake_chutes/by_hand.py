"""A folder through which a person or a program plays the model: each prompt is a file in it, and so is the reply to it."""

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Event, Lock

from agents.devtools.fake_chutes.completions import ChatRequest

# A reply is read once it is there whole: while it is being written its size changes.
LOOK_SECONDS = 0.05
# No step lasts longer; and so few tokens are no plan: it is a probe.
LONGEST_SECONDS, PROBE_TOKENS = 180.0, 16


class Folder:
    """Prompts are `0001.prompt.txt` and so on, replies `0001.reply.txt`. Thread-safe."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = path, Lock()
        last = max((int(each.name[:4]) for each in path.glob("[0-9][0-9][0-9][0-9].prompt.txt")), default=0)
        self._numbers = count(last + 1)

    def ask(self, chat: ChatRequest, stopping: Event) -> str | None:
        """The reply to a prompt; None for a probe, or without one in time."""
        if chat.max_tokens is not None and chat.max_tokens <= PROBE_TOKENS:
            return None
        with self._lock:
            number = f"{next(self._numbers):04}"
        partly = self._path / f"{number}.partly"
        partly.write_text(_as_text(chat.texts), "utf-8")
        partly.rename(self._path / f"{number}.prompt.txt")
        return self._read(self._path / f"{number}.reply.txt", stopping)

    def _read(self, reply: Path, stopping: Event) -> str | None:
        until, size = time.monotonic() + LONGEST_SECONDS, -1
        while time.monotonic() < until and not stopping.wait(LOOK_SECONDS):
            now = reply.stat().st_size if reply.exists() else -1
            if now > 0 and now == size:
                return reply.read_text("utf-8", "replace")
            size = now
        return None


def _as_text(texts: Sequence[tuple[str, str]]) -> str:
    return "\n\n".join(f"=== {role}\n{text}" for role, text in texts) + "\n"
