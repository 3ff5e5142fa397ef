"""Runs inside its own network and mount namespaces: starts an exported agent as validators do, and posts requests to it.

`python -m agents.export.sandbox < order.json > report.json`; `replica.py` starts it.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from agents.devtools.fake_gateway import Gateway, fake_gateway

PORT, USER = 8200, 10_001
MEMORY_BYTES, CORES, PROCESSES = 2 * 1024**3, 2, 768
START_SECONDS = 20.0
REPOSITORY, ENVIRONMENT, TMP = "/app/agent", "/venv", "/tmp"  # noqa: S108 -- the sandbox's own
# Run in the sandbox: which actions fail there.
PROBE = """
import json, os, socket, subprocess
def fails(action):
    try: action()
    except OSError: return True
    return False
def put(path, mode=0o644):
    with open(path, "w") as file: file.write("#!/bin/sh\\n")
    os.chmod(path, mode)
def run_program():
    put("/tmp/program", 0o755)
    try: subprocess.run(["/tmp/program"])
    finally: os.remove("/tmp/program")
def connect():
    socket.create_connection(("192.0.2.1", 80), 2)
print(json.dumps({
    "user": os.getuid(), "repository": fails(lambda: put("x")), "root": fails(lambda: put("/x")), "home": fails(lambda: put("/usr/x")),
    "program in /tmp": fails(run_program), "network": fails(connect), "/tmp": not fails(lambda: (put("/tmp/x"), os.remove("/tmp/x"))),
}))
"""


@dataclass(frozen=True, slots=True)
class Report:
    """`answers`: for each request its status, body and seconds; `memory_mb`: the maximum; `left`: files in /tmp afterwards;
    `start_work_seconds`: processor time until it was healthy; `requests`: those to the gateway."""

    healthy_seconds: float
    start_work_seconds: float
    memory_mb: float
    probe: dict[str, Any]
    left: list[str]
    answers: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)


def run(order: dict[str, Any]) -> Report:
    """`order`: the folders of the repository, its virtual environment and Python, two empty folders to write to, and the requests, each
    with path, body and the gateway's answer."""
    scratch, logs = (Path(folder) for folder in order["scratch"])
    for folder in (scratch, logs):
        _run("mount", "-t", "tmpfs", "-o", "noexec,nosuid,nodev,size=512m,mode=1777", "tmpfs", str(folder))
    _run("ip", "link", "set", "lo", "up")
    confined = _confined(order, scratch, logs)
    probe = json.loads(_run(*confined, "-c", PROBE))
    with fake_gateway() as gateway:
        gateway.choose = lambda _: "task over its cost"
        with _serving(confined, gateway.url) as (process, seconds):
            work = sum(map(_work_seconds, _descendants(process.pid)))
            answers = list(_played(order["requests"], gateway))
            memory = max((_peak_mb(pid) for pid in _descendants(process.pid)), default=0.0)
        requests = [{"headers": headers, "model": body.get("model")} for headers, body in gateway.requests]
    return Report(seconds, work, memory, probe, sorted(path.name for path in scratch.rglob("*")), answers, requests)


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")
    return done.stdout


def _confined(order: dict[str, Any], scratch: Path, logs: Path) -> list[str]:
    python, limits = order["python"], f"--as={MEMORY_BYTES} --nproc={PROCESSES}"
    # Folders that the sandbox's user may read, whatever their permissions outside.
    above = ["/app", *(str(folder) for folder in reversed(Path(python).parents) if folder.name)]
    made = [part for folder in above for part in ("--perms", "0755", "--dir", folder)]
    view = """
        bwrap --die-with-parent --unshare-ipc --unshare-uts --unshare-pid --proc /proc --dev /dev
        --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64"""
    mounts = ["--ro-bind", order["environment"], ENVIRONMENT, "--ro-bind", python, python, "--ro-bind", order["repository"], REPOSITORY]
    mounts += ["--bind", str(scratch), TMP, "--bind", str(logs), "/app/logs", "--remount-ro", "/", "--chdir", REPOSITORY]
    settings = f"--clearenv --setenv PYTHONDONTWRITEBYTECODE 1 --setenv HOME {TMP} --"
    user = f"setpriv --reuid={USER} --regid={USER} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
    cores = f"taskset --cpu-list 0-{min(CORES, os.cpu_count() or 1) - 1}"
    return [*view.split(), *made, *mounts, *f"{settings} {user} prlimit {limits} {cores} {ENVIRONMENT}/bin/python".split()]


@contextmanager
def _serving(confined: list[str], gateway: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    environment = {
        "SANDBOX_GATEWAY_URL": gateway,
        "CHUTES_BASE_URL": f"{gateway}/chutes/v1",
        "OPENAI_BASE_URL": f"{gateway}/openai/v1",
        "SANDBOX_AGENT_PORT": str(PORT),
        "SANDBOX_AGENT_UID": "83",
    }
    end, own = confined.index("--"), [part for name, value in environment.items() for part in ("--setenv", name, value)]
    command = [*confined[:end], *own, *confined[end:], "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", str(PORT)]
    started = time.monotonic()
    process = subprocess.Popen([*command, "--log-level", "warning"], stdout=sys.stderr)
    try:
        while not _is_healthy():
            if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                raise RuntimeError("The agent did not become healthy.")
            time.sleep(0.02)
        yield process, time.monotonic() - started
    finally:
        process.kill()
        process.wait()


def _is_healthy() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", PORT), 0.5):
            return httpx.get(f"http://127.0.0.1:{PORT}/health", timeout=2, trust_env=False).is_success
    except OSError:
        return False


def _played(requests: list[dict[str, Any]], gateway: Gateway) -> Iterator[dict[str, Any]]:
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=60, trust_env=False) as client:
        for request in requests:
            gateway.choose = partial(_answer, request["gateway"])
            started, before = time.monotonic(), len(gateway.requests)
            response = client.post(request["path"], json=request["body"])
            seconds, sent = time.monotonic() - started, len(gateway.requests) - before
            yield {"status": response.status_code, "body": response.text, "seconds": seconds, "requests": sent}


def _answer(answer: str, _: Mapping[str, Any]) -> str:
    return answer


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _descendants(int(child))


def _work_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


if __name__ == "__main__":
    json.dump(asdict(run(json.load(sys.stdin))), sys.stdout)
