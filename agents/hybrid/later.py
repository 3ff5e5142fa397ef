"""What is done a moment after a step's answer, by a thread of its own: no step waits for it or fails by it."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
AFTER_ANSWER = 0.2  # seconds: the answer leaves first, as its thread needs the processor and the database more


class Later(queue.Queue[T]):
    """`work` gets all that waits, at most `most`; it raises nothing."""

    def __init__(self, name: str, most: int, work: Callable[[list[T]], None]) -> None:
        super().__init__(most)
        self._name, self._work, self._starting = name, work, threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, item: T) -> bool:
        """Returns at once; False where too much waits."""
        try:
            self.put_nowait(item)
        except queue.Full:
            return False
        with self._starting:
            if not (self._thread and self._thread.is_alive()):  # a forked process has its parent's, which does not run there
                self._thread = threading.Thread(target=self._work_on, name=self._name, daemon=True)
                self._thread.start()
        return True

    def _work_on(self) -> None:
        while True:
            batch = [self.get()]
            time.sleep(AFTER_ANSWER)
            while not self.empty():
                batch.append(self.get())
            self._work(batch)
            connection.close()
            for _ in batch:
                self.task_done()
