"""The processes of a job cluster, tied together so that none outlives the one that started it.

    worker (watchdog) → run_cluster → sentinel → workers, pusher, monitor

Each asks the kernel to be killed when its parent dies, and all share one session and process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; end it now if that is no longer process `parent`."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def bind_descendants() -> None:
    """From now on every process that this one or its children fork dies with its parent."""
    forking = [0]

    def remember() -> None:
        forking[0] = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: die_with_parent(forking[0]))


class Cluster:
    """A running cluster in a session and process group of its own."""

    def __init__(self, manage: Path) -> None:
        command = [sys.executable, str(manage), "run_cluster", f"--parent={os.getpid()}"]
        self.process = subprocess.Popen(command, start_new_session=True)
        self.session = self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self, patience: float) -> None:
        """Ask it to end after the jobs in hand; kill what is left of it after `patience` seconds."""
        if self.running():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """Kill every process of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.session, signal.SIGKILL)
        self.process.wait()
