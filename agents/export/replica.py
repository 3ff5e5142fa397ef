"""A replica of the validators' sandbox: runs an exported agent in it and compares its answers with the miner's plans.

Python 3.11 with the pinned packages only, a user other than root, a read-only root, /tmp without programs, no network but our own
gateway, 2 GB and 2 cores. It needs Linux, root, bubblewrap and a checkout with its tests, whose recorded requests are posted.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone

from agents import template
from agents.contract.protocol import parse, render
from agents.devtools.fake_gateway import FAULTS
from agents.export.repository import ROOT, read, write
from agents.models import Export
from agents.page import read as read_page

RECORDED = ROOT / "agents" / "tests"
TOOLS = {"bwrap": "bubblewrap", "unshare": "util-linux", "setpriv": "util-linux", "prlimit": "util-linux", "ip": "iproute2"}
AGENT_ID = "83"
PROMPTS, SEEDS = 200, (31, 57)
# In seconds and MB. Validators wait 20 s for a healthy answer; processor time is checked too, since it depends less on other load.
MOST_START, MOST_WORK, MOST_MEMORY, DEADLINE = 20.0, 6.0, 300.0, 13.0
PAGE = """<html><body><nav><a href="/?seed={0}">Home</a><a href="/items?seed={0}">Items</a><a href="/login?seed={0}">Log in</a></nav>
<form action="/search"><input name="q" placeholder="Search"><button type="submit">Search</button></form>
<ul><li><h3>Arc lamp</h3><p>$40</p><p>Rating 4.5</p><a href="/items/1?seed={0}">View</a><button>Add to cart</button></li>
<li><h3>Bow lamp</h3><p>$55</p><p>Rating 3.9</p><a href="/items/2?seed={0}">View</a><button>Add to cart</button></li></ul>
<form action="/contact"><label>Name<input name="name"></label><label>Email<input type="email" name="email"></label>
<label>Message<textarea name="message"></textarea></label><button type="submit">Send</button></form></body></html>"""
NEUTRAL = "task over its cost"  # then the rules' plan is sent


class NotHere(RuntimeError):
    """It can't be run on this machine. The message has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Line:
    check: str
    found: str
    expected: str
    passed: bool

    def __str__(self) -> str:
        return f"{'ok' if self.passed else 'FAULT':5} {self.check}: {self.found} (expected: {self.expected})"


Request = dict[str, Any]


def run(repository: Path) -> list[Line]:
    """Raises NotHere."""
    python = _python()
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin")})
    if os.geteuid() != 0 or missing:
        raise NotHere(f"The replica runs as root. Install first: {', '.join(missing) or 'nothing is missing'}.")
    if not (RECORDED / "callers.jsonl").is_file():
        raise NotHere("The replica plays the requests recorded for the tests: run it from a checkout.")
    requests = _requests()
    with tempfile.TemporaryDirectory(prefix="agent-replica-") as folder:
        report = _played(repository, python, Path(folder), requests)
    return list(_judged(report, requests))


def record(row: Export, results: Iterable[Line]) -> None:
    lines = list(results)
    row.replica, row.replica_at, row.replica_passed = [asdict(line) for line in lines], timezone.now(), all(line.passed for line in lines)
    row.save(update_fields=["replica", "replica_at", "replica_passed"])


def lines(row: Export) -> list[Line]:
    return [Line(**line) for line in row.replica]


def in_words(row: Export) -> str:
    if row.replica_at is None:
        return "Not run for this export"
    return "Passed" if row.replica_passed else f"Failed: {sum(not line.passed for line in lines(row))} of {len(row.replica)} checks"


def _python() -> Path:
    by_pyenv = next(iter(sorted(Path.home().glob(".pyenv/versions/3.11*/bin/python3.11"))), None)
    python = shutil.which("python3.11") or by_pyenv
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        python = by_pyenv
    if python is None:
        raise NotHere("The replica needs Python 3.11, as python3.11 in PATH or by pyenv install 3.11.")
    return Path(python)


def _played(repository: Path, python: Path, folder: Path, requests: list[Request]) -> dict[str, Any]:
    environment, cloned, scratch = folder / "venv", folder / "repository", [folder / "tmp", folder / "logs"]
    write(read(repository), cloned)
    for path in scratch:
        path.mkdir()
    _run([str(python), "-m", "venv", str(environment)])
    _run([str(environment / "bin" / "pip"), "install", "--quiet", "--requirement", str(repository / "requirements.txt")])
    home = _run([str(python), "-c", "import sys; print(sys.base_prefix)"]).strip()
    order = {
        "repository": str(cloned),
        "environment": str(environment),
        "python": home,
        "scratch": [str(path) for path in scratch],
        "requests": requests,
    }
    inside = ["unshare", "--net", "--mount", sys.executable, "-m", "agents.export.sandbox"]
    report: dict[str, Any] = json.loads(_run(inside, json.dumps(order)))
    return report


def _run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=1_200, check=False, umask=0o022)
    if done.returncode:
        raise NotHere(f"{' '.join(command[:6])} failed:\n{done.stderr[-2_000:]}")
    return done.stdout


def _requests() -> list[Request]:
    callers = [json.loads(line) for line in (RECORDED / "callers.jsonl").read_text("utf-8").splitlines()]
    made = [{"kind": "caller", "path": row["path"], "body": row["body"], "gateway": NEUTRAL} for row in callers]
    prompts = dict.fromkeys(json.loads(line)["prompt"] for line in (RECORDED / "prompts.jsonl").read_text("utf-8").splitlines())
    for number, prompt in enumerate(list(prompts)[:PROMPTS]):
        made += [_request(kind, prompt, f"{kind}-{number}-{seed}", seed, NEUTRAL) for kind in ("one shot", "step") for seed in SEEDS]
    # After a rate limit nothing is sent for a while, so it comes last.
    faults = sorted(FAULTS, key=lambda fault: fault == "rate limit")
    made += [{**_request("step", "Find what is new", f"fault {fault}", 31, fault), "kind": "fault"} for fault in faults]
    return made


def _request(kind: str, prompt: str, task: str, seed: int, gateway: str) -> Request:
    body: dict[str, Any] = {"id": task, "task_id": task, "prompt": prompt, "url": f"http://localhost:8000/?seed={seed}"}
    if kind == "step":
        body |= {"html": PAGE.format(seed), "step_index": 0, "history": [], "timeout_seconds": DEADLINE}
    return {"kind": kind, "path": "/solve_task" if kind == "one shot" else "/step", "body": body, "gateway": gateway, "seed": seed}


def planned(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The miner's answer without a model, site facts and records."""
    step = parse(path, json.dumps(body).encode())
    page = read_page(step.page, step.url) if step.page else None
    return render(step, template.plan(step, page), agent_id=AGENT_ID)


def _judged(report: Mapping[str, Any], requests: list[Request]) -> Iterator[Line]:
    probe, answers = dict(report["probe"]), list(zip(requests, report["answers"], strict=True))
    start, work = report["healthy_seconds"], report["start_work_seconds"]
    is_quick = start <= MOST_START and work <= MOST_WORK
    yield Line("Healthy", f"after {start:.1f} s, {work:.1f} s of work", f"{MOST_START:g} s, {MOST_WORK:g} s of work", is_quick)
    yield Line("Memory", f"{report['memory_mb']:.0f} MB", f"at most {MOST_MEMORY:g} MB", 0 < report["memory_mb"] <= MOST_MEMORY)
    user = probe.pop("user")
    held = [name for name, is_held in probe.items() if not is_held]
    yield Line("Sandbox", f"user {user}, not held: {', '.join(held) or 'nothing'}", "not root, nothing", user != 0 and not held)
    yield Line("Files left in /tmp", str(len(report["left"])), "0", not report["left"])
    for kind, name in (("caller", "Recorded callers"), ("one shot", "Prompts, all at once"), ("step", "Prompts, step by step")):
        ours = [_is_ours(request, answer) for request, answer in answers if request["kind"] == kind]
        yield Line(name, f"{sum(ours)} of {len(ours)} as the miner plans", "all", all(ours))
    for kind in ("one shot", "step"):
        same = list(_same_for_both(kind, answers))
        yield Line(f"Two seeds, {kind}", f"{len(same) - sum(same)} of {len(same)} prompts differ", "0", len(same) >= PROMPTS and all(same))
    yield from _faults(answers)
    sent = report["requests"]
    keyed = [request for request in sent if "authorization" in request["headers"] or not request["headers"].get("iwa-task-id")]
    yield Line("Requests to the gateway", f"{len(keyed)} of {len(sent)} with a key or without a task", "0", not keyed)


def _is_ours(request: Request, answer: Mapping[str, Any]) -> bool:
    return answer["status"] == 200 and bool(json.loads(answer["body"]) == planned(request["path"], request["body"]))


def _same_for_both(kind: str, answers: list[tuple[Request, Any]]) -> Iterator[bool]:
    bodies = {seed: [answer["body"] for sent, answer in answers if (sent["kind"], sent.get("seed")) == (kind, seed)] for seed in SEEDS}
    first, second = SEEDS
    for body, other in zip(bodies[first], bodies[second], strict=True):
        yield body.replace(f"seed={first}", f"seed={second}") == other


def _faults(answers: list[tuple[Request, Any]]) -> Iterator[Line]:
    met = [(request["gateway"], answer) for request, answer in answers if request["kind"] == "fault"]
    late = [name for name, answer in met if answer["status"] != 200 or answer["seconds"] > DEADLINE or not answer["body"]]
    unmet = [name for name, answer in met if not answer["requests"]]
    slowest = max(answer["seconds"] for _, answer in met)
    result = f"{len(met) - len(late)} of {len(met)} survived, the slowest in {slowest:.1f} s; not met: {', '.join(unmet) or 'none'}"
    yield Line("Faults of the gateway", result, f"all in {DEADLINE:g} s", not late + unmet)
