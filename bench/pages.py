"""How long pages, reads of the API and assistants' questions take at 10,000 steps and at a million, nothing of them cached; they and the
databases take turns.

The databases are made once, in data/bench-pages-<steps>, brought up to now at each run, and made anew when the generator has changed; a
million steps with a million log records take a quarter of an hour and 4 GB.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.measure import line, percentile
from bench.miner import OWN
from minerpanel.tests.processes import ROOT

FEW, ROUNDS = 10_000, 25
# What is promised at a million steps: milliseconds at the 95th percentile and kB compressed. Searching texts reads all records.
PROMISED_MS, PROMISED_READ_MS, PROMISED_TEXT_MS, PROMISED_KB = 90.0, 100.0, 400.0, 30.0
PAGES = """
/?range=1h /?range=6h /?range=24h /?range=7d /?range=30d /compare/ /compare/?range=30d
/tasks/ /tasks/?q=since:24h /tasks/?q=since:24h+route:llm /tasks/?q=since:30d
/tasks/?q=since:30d+route:llm /tasks/?q=since:30d+reason:paused /tasks/?q=since:30d+status:429
/tasks/?q=since:30d+state:late /tasks/?q=since:30d+outcome:failed /tasks/?q=since:30d+project:autocinema
/steps/ /steps/?sort=longest /steps/?q=since:24h+route:template /steps/?q=since:30d+source:validator
/steps/?q=since:30d+status:429 /steps/?q=since:30d+project:autocinema /attempts/ /attempts/?q=since:30d+status:429
/rate-limit/ /rate-limit/events/ /rate-limit/what-if/ /logs/ /logs/?range=30d /audit/ /components/ /tests/ /callers/ /settings/
""".split()  # noqa: SIM905 -- addresses read best as they are
ONE_TASK = "one task"
# Texts that many, all and no records have.
TEXTS = """
/tasks/?q=Parasite /tasks/?q="where+name+equals" /tasks/?q=nowhere-at-all /steps/?q=Parasite /attempts/?q=nowhere-at-all
/logs/?text=refused+attempt /logs/?text=nowhere-at-all
""".split()  # noqa: SIM905
# Lists of the API by filter lines, besides all that its document has without a parameter, and one of each.
LISTS = """
/tasks?q=since:30d+state:late /tasks?sort=oldest /steps?q=route:template+since:2h /steps?sort=longest /steps?q=since:30d+project:autocinema
/attempts?q=status:429+since:30d /attempts?sort=costliest /attempts?q=since:30d&sort=costliest /figures?range=30d /compare?range=30d
/events?scope=model /audit?what=settings /audit?who=bench
""".split()  # noqa: SIM905
DAYS = 90.0
MADE_BY = ("agents/devtools/demo_traffic/records.py", "monitoring/management/commands/seed_records.py")
# Further behind, it is made anew: what is added makes it larger than its name.
LONGEST_GAP_DAYS = 9.0
MEASURE = "import django; django.setup(); from bench.pages import measure; measure()"


def main(options: argparse.Namespace) -> int:
    few, many = run([seed(steps) for steps in (FEW, options.steps)])
    print(f"Server time in ms, {ROUNDS} rounds; {FEW:,} and {options.steps:,} steps over 90 days.")
    print(f"{os.cpu_count()} cores, load average {', '.join(f'{each:.1f}' for each in os.getloadavg())}.\n")
    print(line("", ("p50", "p95", "queries", "p50", "p95", "queries", "× p50", "kB"), 9, 44))
    missed = sum(show(name, few[name], many[name]) for name in few)
    print(f"\n{len(few) - missed} of {len(few)} keep what is promised.")
    return int(missed > 0)


def seed(steps: int) -> dict[str, str]:
    """Have so many steps over the last 90 days, with all that pages show, summed and indexed. Returns the environment for processes."""
    data = ROOT / "data" / f"bench-pages-{steps}"
    own = {**os.environ, **OWN, "CHUTES_API_KEY": "", "DATA_DIR": str(data)}

    def manage(*arguments: str) -> None:
        subprocess.run([sys.executable, "-W", "ignore", "manage.py", *arguments], cwd=ROOT, env=own, check=True, stdout=subprocess.DEVNULL)

    sources = [*(ROOT / name for name in MADE_BY), *sorted(ROOT.glob("*/migrations/0*.py"))]
    mark, made_by = data / "seeded", hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    now, is_made = time.time(), mark.exists() and mark.read_text() == made_by
    days = (now - mark.stat().st_mtime) / 86_400 if is_made else DAYS
    if days > LONGEST_GAP_DAYS:
        print(f"{steps:,} steps are made in {data}.", flush=True)
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        manage("migrate", "--verbosity", "0")
        days = DAYS
    count = max(1, round(steps * days / DAYS))
    manage("seed_records", f"--steps={count}", f"--logs={count}", f"--days={days}", f"--seed={int(days * 1e6)}")
    mark.write_text(made_by)
    os.utime(mark, (now, now))  # up to when there are records
    return own


def run(environments: list[dict[str, str]]) -> list[dict[str, Any]]:
    command, pipe = [sys.executable, "-W", "ignore", "-c", MEASURE], subprocess.PIPE
    running = [subprocess.Popen(command, cwd=ROOT, env=own, text=True, stdin=pipe, stdout=pipe) for own in environments]
    for _ in range(ROUNDS + 1):
        for process in running:
            assert process.stdin and process.stdout
            print(file=process.stdin, flush=True)
            assert process.stdout.readline(), "a process ended early"
    return [json.loads(process.communicate()[0]) for process in running]


def show(name: str, few: dict[str, Any], many: dict[str, Any]) -> bool:
    """Print one page's line. True where it misses anything that is promised."""
    # The first round compiles templates.
    (few_p50, few_p95), (p50, p95) = ([1000 * percentile(page["seconds"][1:], each) for each in (50, 95)] for page in (few, many))
    kind, size = many["kind"], many["bytes"] / 1000
    promised = {"text": PROMISED_TEXT_MS, "page": PROMISED_MS, "read": PROMISED_READ_MS}[kind]
    missed = [f"p95 above {promised:g} ms"] if p95 > promised else []
    missed += [f"above {PROMISED_KB:g} kB"] if size > PROMISED_KB and kind != "read" else []
    missed += ["more queries"] if few["queries"] != many["queries"] and kind != "text" else []
    counts = [f"{few_p50:.1f}", f"{few_p95:.1f}", few["queries"], f"{p50:.1f}", f"{p95:.1f}", many["queries"]]
    print(line(name, [*counts, f"{p50 / few_p50:.2f}", f"{size:.1f}"], 9, 44), f" {'MISSED: ' + ', '.join(missed) if missed else 'kept'}")
    return bool(missed)


def measure() -> None:
    """In a process with Django: a round over all pages and a line back for each line that comes in, at the end what was found by page."""
    from django.conf import settings  # noqa: PLC0415 -- the process that only starts others needs none of this
    from django.core.cache import cache  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from minerpanel.serve import freeze_loaded_modules  # noqa: PLC0415

    freeze_loaded_modules()
    settings.ALLOWED_HOSTS.append("testserver")
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    works = visits()
    found: dict[str, dict[str, Any]] = {name: {"kind": kind, "seconds": []} for name, (kind, _) in works.items()}
    for _ in sys.stdin:
        for name, (_, work) in works.items():
            cache.clear()
            began = time.perf_counter()
            work()
            found[name]["seconds"].append(time.perf_counter() - began)
        print(flush=True)
    for name, (_, work) in works.items():
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            found[name] |= {"bytes": len(work()), "queries": len(seen)}
    print(json.dumps(found))


def visits() -> dict[str, tuple[str, Callable[[], bytes]]]:
    """By name: the kind, and what returns the bytes of an answer."""
    from monitoring.assistants.calls import given  # noqa: PLC0415

    client, token, pages = visitor()
    given.set(token)
    kinds = {name: "page" if name in (*PAGES, ONE_TASK) else "text" for name in pages}
    works = {name: (kinds[name], partial(body, client, address)) for name, address in pages.items()}
    works |= {name: ("read", partial(body, client, address)) for name, address in reads().items()}
    return works | {name: ("read", question) for name, question in questions().items()}


def body(client: Any, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200, address
    return bytes(response.content)


def reads() -> dict[str, str]:
    """Of the API, by the path in its document."""
    from agents.configuration import default_account  # noqa: PLC0415
    from agents.models import Step  # noqa: PLC0415
    from monitoring.api.document import document  # noqa: PLC0415
    from monitoring.models import Component, TestRun  # noqa: PLC0415

    newest = Step.objects.latest("pk")
    rows = {"account": default_account(), "task": newest.task, "step": newest, "run": TestRun.objects.latest("pk")}
    ones = {name: row.pk for name, row in {**rows, "component": Component.objects.earliest("pk")}.items()}
    # The database has no what-if runs.
    listed = [path for path, methods in document()["paths"].items() if "get" in methods and "/what-if/{" not in path]
    return {**{path: path.format(**ones) for path in listed}, **{f"/api/v1{path}": f"/api/v1{path}" for path in LISTS}}


def questions() -> dict[str, Callable[[], bytes]]:
    """Of assistants, each as it is asked without more, and over the longest time where it takes one."""
    from agents.models import Task  # noqa: PLC0415
    from monitoring.assistants import questions as asked  # noqa: PLC0415
    from monitoring.assistants.changes import what_if  # noqa: PLC0415

    given: dict[str, dict[str, Any]] = {"task": {"task": Task.objects.latest("pk").pk}}
    for name in ("what_changed", "what_costs_most", "figures"):
        given[name] = {"span": "30d"}

    def ask(question: Callable[..., Any]) -> bytes:
        return json.dumps(question(**given.get(question.__name__, {}))).encode()

    return {f"{each.__name__}()": partial(ask, each) for each in (*asked.QUESTIONS, what_if)}


def visitor() -> tuple[Any, str, dict[str, str]]:
    """An admin's client, which has a session and a token; the token; what there is to visit."""
    from django.contrib.auth.models import Group, User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from monitoring.models import ApiToken, Scope  # noqa: PLC0415
    from monitoring.tokens import tokens  # noqa: PLC0415
    from monitoring.users.users import ensure_groups  # noqa: PLC0415

    ensure_groups()
    user, _ = User.objects.get_or_create(username="bench")
    user.groups.set(Group.objects.filter(name="admins"))
    ApiToken.objects.filter(user=user).delete()
    _, token = tokens.create(user, "bench", Scope.READ, 1, timezone.now())
    client = Client(headers={"accept-encoding": "gzip", "authorization": f"Bearer {token}"})
    client.force_login(user)
    return client, token, addresses()


def addresses() -> dict[str, str]:
    """By name: PAGES, TEXTS, and those of a task that has many steps, which is another one in each database."""
    from django.db.models import Count  # noqa: PLC0415

    from agents.models import Step, Task  # noqa: PLC0415

    longest = Step.objects.filter(pk__gte=Step.objects.latest("pk").pk - 1_000).values("task").annotate(steps=Count("*")).latest("steps")
    key = Task.objects.get(pk=longest["task"]).key
    same = {address: address for address in (*PAGES, *TEXTS)}
    return {**same, ONE_TASK: f"/tasks/{longest['task']}/", "text of one task": f"/tasks/?q={key[7:]}"}
