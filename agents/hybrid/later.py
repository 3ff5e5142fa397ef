"""Work that runs in its own thread after a step's answer: no step waits for it or fails because of it."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
AFTER_ANSWER = 0.2  # seconds: answers go first, as they need the processor and the database more


class Later(queue.Queue[T]):
    """`work` gets all waiting items, at most `most`, and must not raise."""

    def __init__(self, name: str, most: int, work: Callable[[list[T]], None]) -> None:
        super().__init__(most)
        self._name, self._work, self._starting = name, work, threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, item: T) -> bool:
        """Returns at once; False where the queue is full."""
        try:
            self.put_nowait(item)
        except queue.Full:
            return False
        with self._starting:
            if not (self._thread and self._thread.is_alive()):  # a thread of the parent process does not run after a fork
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
