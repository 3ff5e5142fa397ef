"""Which process holds a port: read from /proc, as `ss -ltnp` does."""

import pwd
import socket
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"  # TCP_LISTEN in the kernel's net/tcp_states.h


class PortInUse(Exception):
    """The port is taken, or can't be bound. The message names the owner and the remedy."""


def listen(bind: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens; for `::` also to IPv4. Raises PortInUse."""
    try:
        family, _, _, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=backlog, dualstack_ipv6=bind == "::")
    except OSError as error:
        raise PortInUse(_report(bind, port, error)) from error


def holder(port: int) -> tuple[str, int | None] | None:
    """The user that listens on `port`, and the process id if this user may see it. None if there is none, or it is hidden."""
    tables = [PROC / "net" / name for name in ("tcp", "tcp6")]  # IPv6 may be off
    rows = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listeners = [row for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    if not listeners:
        return None
    try:
        user = pwd.getpwuid(int(listeners[0][7])).pw_name
    except KeyError:
        user = listeners[0][7]
    sockets = {f"socket:[{row[9]}]" for row in listeners}
    pid = next((pid for pid in sorted(int(path.name) for path in PROC.glob("[0-9]*")) if _has_open(pid, sockets)), None)
    return user, pid


def _report(bind: str, port: int, error: OSError) -> str:
    held = holder(port)
    if held is None:
        return f"{bind}, port {port} can't be listened on: {error.strerror or error}. Set BIND and PORT in .env."
    user, pid = held
    if pid is None:
        return f"Port {port} is in use by a process of the user {user}. Stop it, or set another PORT in .env."
    parent = int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    to_stop = parent if "supervisord" in _command(parent) else pid  # a supervisor would start it again
    return f"Port {port} is in use by process {pid} ({_command(pid)}). Stop it: kill {to_stop}; or set another PORT in .env."


def _has_open(pid: int, names: set[str]) -> bool:
    try:
        return any(str(path.readlink()) in names for path in (PROC / str(pid) / "fd").iterdir())
    except OSError:  # another user's, or gone meanwhile
        return False


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""
