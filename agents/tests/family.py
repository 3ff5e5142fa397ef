"""The processes below a running worker, read from /proc."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """The ids of a process' children, oldest first; none when it has ended."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def cluster(worker: int) -> int:
    """The main process of the worker's cluster. Raises IndexError while there is none."""
    return children(worker)[0]


def sentinel(worker: int) -> int:
    return children(cluster(worker))[0]


def pool(worker: int) -> list[int]:
    """The sentinel's children: two workers, monitor, pusher, in the order of their start."""
    return children(sentinel(worker))


def holder_of_the_queue(worker: int) -> int | None:
    """The idle worker that waits for a job at the queue's pipe; the other one waits for the lock that it holds."""
    return next((pid for pid in pool(worker)[:2] if _reads_a_pipe(pid)), None)


def _reads_a_pipe(pid: int) -> bool:
    """Whether the first argument of a process' current system call is a pipe, as in `read`, but not in `futex`."""
    try:
        syscall = Path(f"/proc/{pid}/syscall").read_text().split()
        return len(syscall) > 1 and str(Path(f"/proc/{pid}/fd/{int(syscall[1], 16)}").readlink()).startswith("pipe:")
    except (FileNotFoundError, ProcessLookupError):
        return False
