"""The processes of a job cluster, none of which outlives its parent.

    worker (watchdog) → run_cluster → sentinel → workers, pusher, monitor

The kernel kills each when its parent dies, and all share one session and process group.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def end_with(parent: int, sent: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when its parent ends; end it now if that is no longer process `parent`."""
    _libc.prctl(PR_SET_PDEATHSIG, sent)
    if os.getppid() != parent:
        os._exit(1)


def bind_descendants() -> None:
    """Every process that this one or its children fork from now on dies with its parent."""
    forking = [0]

    def remember() -> None:
        forking[0] = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: end_with(forking[0], signal.SIGKILL))


class Cluster:
    def __init__(self, manage: Path) -> None:
        command = [sys.executable, str(manage), "run_cluster", f"--parent={os.getpid()}"]
        self.process = subprocess.Popen(command, start_new_session=True)
        self.session = self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self, patience: float) -> None:
        if self.running():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.session, signal.SIGKILL)
        self.process.wait()


class NotAlone(Exception):
    """Another process holds the lock. The message is its process id, "" if not written yet."""


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock on `path`, which the kernel frees when this process ends; children do not inherit it."""
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise NotAlone(file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
