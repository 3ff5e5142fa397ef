"""Attacks on a clean miner, a function each: what honest callers got beside them is held against the promises."""

import argparse
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any, TypeVar

from agents.tests import hostile
from bench.attack.callers import FRESH_ID, Answer, HonestCallers, address, ask, attacking, burn, hold_sockets, post_over_and_over
from bench.measure import line, percentile
from bench.miner import LOCKED, Instance, start
from minerpanel.tests.postgres import PostgresServer
from minerpanel.tests.processes import kill, step_body, wait_until

# Of a step, in seconds: the settings' default, and one that is so short that waiting is noticed.
DEADLINE, SHORT_DEADLINE = 25.0, 10.0
# What one hostile request may cost and how soon it is answered, in seconds.
MOST_CPU, MOST_SECONDS = 1.0, 5.0
# Of an honest step beside an attack, of a writer that holds the database, of `/health`: in seconds.
HONEST_P95 = MOST_LOCKED = HEALTH_SECONDS = 1.0
# Between two tries to lock the database, in seconds: finer than that bound, and too little to disturb.
TRY_EVERY = 0.02
# Set aside: no fix was made with this seed in sight.
HELD_OUT_SEED = 20_261
# The step form more often: it is what callers of today use.
PATHS = ("/step", "/step", "/act", "/find_trayectory", "/solve_task")
# Of what two allowed callers have alone; the short version has a few steps on a busy machine; without sharing, callers got a twentieth.
LEAST_SHARE, LEAST_SHARE_OF_FEW = 0.9, 0.5
MOST_MISSED = 0.01
# Each kind of record gets its own budget. SQLite's write-ahead log, indexes and free pages take their part; on Postgres an empty database
# of 12 MB, and what is deleted until autovacuum frees it, once a minute. Its write-ahead log is the server's and left out.
BUDGETS = ("records", "pages", "logs")
UNBUDGETED_MB = 64
MB = 1_000_000
FREE = "spacing_seconds=0"
TITLES = ("tried", "late", "refused", "lost", "p95", "slowest")
T = TypeVar("T")


@dataclass(slots=True)
class Row:
    """One attack. The counts are of honest steps; `notes`: what else was measured; `broken`: promises that do not hold.
    `is_small`: its short version; `starting`: `start` with the surroundings; `shared`: the instance of rows that leave it as it was.
    """

    title: str
    stack: ExitStack
    is_small: bool = False
    starting: Callable[..., Instance] = start
    shared: Instance | None = None
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    p95: float = 0.0
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def start(self, *settings: str, latency: float = 0.0, is_own: bool = False) -> Instance:
        return (None if is_own else self.shared) or self.starting(self.stack, *settings, latency=latency)

    def sized(self, small: T, full: T) -> T:
        return small if self.is_small else full

    def expect(self, holds: bool, promise: str) -> None:
        if not holds:
            self.broken.append(promise)

    def note_statuses(self, counts: Counter[int]) -> None:
        shown = [f"{count} × {status or 'no answer'}" for status, count in sorted(counts.items())]
        self.notes.append(f"attack: {', '.join(shown) or 'no request ended'}")

    def add(self, instance: Instance, callers: HonestCallers, *, p95: float | None = None) -> None:
        """What the honest callers got, none of it late, refused or lost; their 95th percentile at most `p95` seconds."""
        lost, seconds = instance.lost(callers.acknowledged), [answer.seconds for answer in callers.answers]
        self.counts.update(tried=len(callers.answers), late=len(callers.late), refused=len(callers.refused), lost=len(lost))
        self.slowest, self.p95 = max(self.slowest, *seconds, 0.0), max(self.p95, percentile(seconds, 95))
        faults = Counter(answer.fault or f"{answer.seconds:.1f} s" for answer in callers.late).most_common(3)
        self.expect(bool(callers.answers), "honest steps were posted")
        self.expect(not callers.late, f"no honest step is late (faults: {faults})")
        self.expect(not callers.refused, f"no honest step is refused ({Counter(answer.status for answer in callers.refused)})")
        self.expect(not lost, f"each acknowledged step is on record (lost: {sorted(lost)[:3]})")
        if p95 is not None:
            self.expect(percentile(seconds, 95) <= p95, f"p95 of honest steps is at most {p95:g} s")


def prompts(row: Row) -> None:
    """Prompts of 10 MB, over and over: they are refused, and the database stays writable."""
    instance, count = row.start(FREE), row.sized(4, 23)
    body = json.dumps({**step_body(task_id="attack-prompt"), "prompt": "word " * 2_000_000}).encode()
    with _locks(instance, row), HonestCallers(instance.url, 2, deadline=DEADLINE) as honest:
        with ThreadPoolExecutor(4) as pool:
            statuses = [answer.status for answer in pool.map(lambda number: _hostile(instance, "/step", body, number), range(count))]
        time.sleep(row.sized(3.0, 30.0))  # the text index works on what came
    row.notes.append(f"{count} answered with {sorted(set(statuses))}")
    row.expect(all(status in (400, 413) for status in statuses), "a prompt of 10 MB is refused")
    row.add(instance, honest, p95=HONEST_P95)


def pages(row: Row) -> None:
    """Pages, prompts and histories that are made to be slow, known ones and generated ones: each costs little, alone and beside others."""
    instance = row.start(FREE)
    known = [(name, made(number)) for number, (name, made) in enumerate(hostile.ROWS.items())]
    generated = hostile.hostile_bodies(HELD_OUT_SEED, row.sized(12, 320))
    bodies = [(name, path, raw) for (name, raw), path in zip([*known, *generated], cycle(PATHS), strict=False)]
    dearest, slowest = (0.0, ""), (0.0, "")
    for number, (name, path, raw) in enumerate(bodies):
        before = instance.cpu_seconds()
        answer = _hostile(instance, path, raw, number)
        cpu = instance.cpu_seconds() - before
        dearest, slowest = max(dearest, (cpu, name)), max(slowest, (answer.seconds, name))
        row.expect(0 < answer.status < 500, f"{name} is answered (status {answer.status} {answer.fault})")
        row.expect(cpu <= MOST_CPU, f"{name} costs at most {MOST_CPU:g} s of CPU ({cpu:.2f})")
        row.expect(answer.seconds <= MOST_SECONDS, f"{name} is answered within {MOST_SECONDS:g} s ({answer.seconds:.2f})")
    row.notes.append(f"{len(bodies)} alone: dearest {dearest[0]:.2f} s CPU ({dearest[1]}), slowest {slowest[0]:.2f} s ({slowest[1]})")
    attack = attacking(post_over_and_over, instance.url, [(path, raw) for _, path, raw in bodies], 4)
    with _locks(instance, row), HonestCallers(instance.url, 2, deadline=DEADLINE) as honest, attack as counts:
        time.sleep(row.sized(4.0, 90.0))
    row.note_statuses(counts)
    row.expect(not counts[500], "nothing becomes a 500")
    row.add(instance, honest, p95=HONEST_P95)


def heavy(row: Row) -> None:
    """64 callers at once, each with a page of 484 kB: all of them are answered in time."""
    instance, count = row.start(FREE), row.sized(12, 64)
    with HonestCallers(instance.url, 2, deadline=DEADLINE) as honest, ThreadPoolExecutor(count) as pool:
        time.sleep(1.0)
        bodies = [step_body(task_id=f"{honest.name}-heavy-{number}", html=large_page(number)) for number in range(count)]
        seconds = [answer.seconds for answer in pool.map(honest.post, bodies)]
        time.sleep(1.0)
    row.notes.append(
        f"large: median {percentile(seconds, 50):.1f} s, slowest {max(seconds):.1f} s, peak {instance.peak_memory_mb():.0f} MB"
    )
    row.add(instance, honest)


def hung(row: Row) -> None:
    """The database hangs for a minute: no step is late, all are on record afterwards."""
    instance = row.start(FREE, f"deadline_seconds={SHORT_DEADLINE:g}", is_own=True)
    slowest = 0.0
    with HonestCallers(instance.url, 8, deadline=SHORT_DEADLINE, pause=0.5) as honest:
        time.sleep(2.0)
        over = time.monotonic() + row.sized(6.0, 60.0)
        with instance.hung_database():
            while time.monotonic() < over:
                health = ask(instance.url, "/health", patience=5.0)
                row.expect(health.status in (0, 200), "/health succeeds")
                slowest = max(slowest, health.seconds)
                time.sleep(1.0)
        time.sleep(5.0)
    row.notes.append(f"slowest /health {slowest:.2f} s")
    row.expect(slowest <= HEALTH_SECONDS, f"/health is answered within {HEALTH_SECONDS:g} s")
    row.add(instance, honest)
    row.expect(instance.count("step", "route = 'llm'") > 0, "the LLM is used")


def stranger(row: Row) -> None:
    """A stranger with 16 clients on 16 addresses beside two allowed callers: they get the share that they have alone."""
    least, callers = row.sized(LEAST_SHARE_OF_FEW, LEAST_SHARE), range(2)
    # So far apart that two callers with a step at a time use up the slots, and each has its next step there before its next slot.
    spacing = f"spacing_seconds={row.sized(1, 2)}"
    instance = row.start(spacing, f"allowed_callers={','.join(map(address, callers))}", latency=0.3, is_own=True)

    def llm_steps(name: str) -> list[int]:
        """How many steps of each honest caller the LLM answered."""
        with HonestCallers(instance.url, len(callers), deadline=DEADLINE, pause=0.5, name=f"honest-{name}") as honest:
            time.sleep(row.sized(15.0, 120.0))
        row.add(instance, honest)
        keys = instance.on_record("step.route = 'llm'")
        return [sum(key.startswith(f"honest-{name}-{caller}-") for key in keys) for caller in callers]

    alone = llm_steps("alone")
    body = ("/step", json.dumps(step_body(task_id=FRESH_ID)).encode())
    with attacking(post_over_and_over, instance.url, [body], 16, 0.5) as counts:
        time.sleep(3.0)  # the stranger has taken what there is
        beside = llm_steps("beside")
    row.note_statuses(counts)
    row.notes.append(f"LLM answers alone {alone}, beside the stranger {beside}")
    for caller, (had, has) in enumerate(zip(alone, beside, strict=True)):
        row.expect(had > 0, f"caller {caller} is answered by the LLM when alone")
        row.expect(has >= least * had, f"caller {caller} gets at least {least:.0%} of its share ({has} of {had})")


def missed(row: Row) -> None:
    """At a load average of 12: hardly an attempt misses its slot."""
    instance = row.start("spacing_seconds=0.5", latency=0.3, is_own=True)
    with ExitStack() as stack:
        for _ in range(row.sized(4, 12)):
            stack.enter_context(attacking(burn, instance.url))
        time.sleep(row.sized(0.0, 60.0))  # the load average follows slowly
        with HonestCallers(instance.url, 4, deadline=DEADLINE, pause=0.1) as honest:
            time.sleep(row.sized(8.0, 180.0))
        row.notes.append(f"load average {os.getloadavg()[0]:.1f}")
    row.add(instance, honest)
    attempts, given_up = instance.count("llmattempt", "1 = 1"), instance.count("step", "reason = 'missed'")
    row.notes.append(f"{attempts} attempts, {given_up} steps without the LLM for a missed slot")
    row.expect(attempts > 0, "attempts are made")
    row.expect(given_up <= max(MOST_MISSED * attempts, row.sized(3, 0)), f"at most {MOST_MISSED:.0%} of the attempts are missed")


def flood(row: Row) -> None:
    """Four clients that send large bodies for five minutes: the disk use stops growing at its budget."""
    seconds, megabytes = row.sized(12.0, 300.0), row.sized(4, 16)
    budget = (len(BUDGETS) * megabytes + UNBUDGETED_MB) * MB
    instance = row.start(FREE, *(f"{kind}_mb={megabytes}" for kind in BUDGETS), is_own=True)
    # They hardly compress, and are nearly as large as the page archive takes them.
    noise = ["".join(f"<p>{os.urandom(300).hex()}</p>" for _ in range(600)) for _ in range(24)]
    pages = [large_page(number, 50_000).replace("</body>", f"{each}</body>") for number, each in enumerate(noise)]
    bodies = [("/step", json.dumps(step_body(task_id=f"attack-{number}", html=page)).encode()) for number, page in enumerate(pages)]
    sizes: list[int] = []
    with HonestCallers(instance.url, 2, deadline=DEADLINE) as honest, attacking(post_over_and_over, instance.url, bodies, 4) as counts:
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            time.sleep(seconds / 20)
            sizes.append(instance.disk_bytes())
    row.note_statuses(counts)
    row.notes.append("MB on disk: " + " ".join(f"{size / MB:.0f}" for size in sizes))
    row.expect(max(sizes) <= budget, f"the disk use stays within {budget / MB:.0f} MB ({max(sizes) / MB:.0f})")
    later = sizes[len(sizes) * 3 // 4 :]
    row.expect(max(later) - min(later) <= 0.1 * budget, "the disk use has stopped growing")
    row.add(instance, honest)


def sockets(row: Row) -> None:
    """256 silent, half-open and slow sockets: no honest step fails."""
    instance = row.start(FREE)
    with attacking(hold_sockets, instance.url, row.sized(96, 256)) as counts:
        time.sleep(3.0)
        with HonestCallers(instance.url, 2, deadline=DEADLINE) as honest:
            time.sleep(row.sized(4.0, 60.0))
    row.notes.append(f"{counts[0]} sockets opened")
    row.add(instance, honest, p95=HONEST_P95)


def kills(row: Row) -> None:
    """The web process is killed with SIGKILL under load, again and again: what it acknowledged is on record, once."""
    instance, rounds = row.start(FREE, is_own=True), row.sized(2, 20)
    acknowledged: set[str] = set()
    for _ in range(rounds):
        with HonestCallers(instance.url, 4, deadline=DEADLINE, pause=0.05) as honest:
            wait_until(lambda callers=honest: callers.acknowledged, "no step is acknowledged")  # type: ignore[misc]
            time.sleep(1.5)
            kill(instance.web.process)
        acknowledged |= honest.acknowledged
        instance.start_web_again()
    lost, keys = instance.lost(acknowledged), Counter(instance.on_record("task.key LIKE 'honest-%'"))
    twice = [key for key, count in keys.items() if count > 1]
    row.counts.update(tried=len(acknowledged), lost=len(lost))
    row.expect(not lost, f"each acknowledged step is on record (lost: {sorted(lost)[:3]})")
    row.expect(not twice, f"no step is on record twice ({len(twice)})")
    row.notes.append(f"{rounds} kills, {len(acknowledged)} acknowledged steps")


ROWS: dict[str, tuple[str, Callable[[Row], None]]] = {
    "prompts": ("A  prompts of 10 MB", prompts),
    "pages": ("B, C  hostile pages", pages),
    "heavy": ("F  64 × 484 kB at once", heavy),
    "hung": ("D  the database hangs", hung),
    "stranger": ("E  a stranger with 16 clients", stranger),
    "missed": ("O  load average 12", missed),
    "flood": ("G  large bodies", flood),
    "sockets": ("H  256 held sockets", sockets),
    "kills": ("K  SIGKILL under load", kills),
}


def main(options: argparse.Namespace) -> int:
    unknown = set(options.rows or ()) - set(ROWS)
    if unknown:
        raise SystemExit(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    print(line("", TITLES, 9, 32), flush=True)
    broken = 0
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer.started()) if options.database == "postgres" else None
        for name in options.rows or ROWS:
            started = time.monotonic()
            row = played(name, is_small=options.small, starting=partial(start, server=server, has_nginx=options.nginx))
            cells = (*(row.counts[title] for title in TITLES[:4]), f"{row.p95:.2f}s", f"{row.slowest:.2f}s")
            print(f"{line(row.title, cells, 9, 32)}  ({time.monotonic() - started:.0f} s)")
            print("".join(f"    {note}\n" for note in [*row.notes, *(f"BROKEN: {each}" for each in row.broken)]), end="", flush=True)
            broken += len(row.broken)
    print(f"\n{broken} promises broken" if broken else "\nAll promises hold")
    return int(bool(broken))


def played(name: str, **where: Any) -> Row:
    """`where`: fields of Row."""
    title, attack = ROWS[name]
    with ExitStack() as stack:
        row = Row(title, stack, **where)
        attack(row)
    return row


CARD = (
    '<article class="card c{number}"><h3><a href="/film/{number}?seed=58">Film {number} of list {page}</a></h3>'
    "<p>Directed by someone, {year}.</p>"
    '<ul><li>Genre: drama</li><li>Rating: 4.{number}</li></ul><p class="text">{page} '
    + "words of a long description of it " * 24
    + '</p><button id="b{number}">Add to cart</button></article>'
)


def large_page(number: int, size: int = 484_000) -> str:
    """A page of `size` bytes as a shop's: cards with links and texts, and a form."""
    cards = ['<form action="/search"><input name="query" placeholder="Find films"><button type="submit">Go</button></form>']
    while sum(map(len, cards)) < size:
        cards.append(CARD.format(number=len(cards), page=number, year=1950 + len(cards) % 70))
    return f"<html><body>{''.join(cards)}</body></html>"


def _hostile(instance: Instance, path: str, raw: bytes, number: int) -> Answer:
    return ask(instance.url, path, raw, f"127.1.9.{1 + number % 200}", 120.0)


@contextmanager
def _locks(instance: Instance, row: Row) -> Iterator[None]:
    """For how long others could not write, as another writer measures it."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        longest = pool.submit(_longest_lock, instance, over)
        try:
            yield
        finally:
            over.set()
    row.notes.append(f"write-locked for at most {longest.result():.2f} s")
    row.expect(longest.result() <= MOST_LOCKED, f"the database is never write-locked for longer than {MOST_LOCKED:g} s")


def _longest_lock(instance: Instance, over: threading.Event) -> float:
    longest = since = 0.0
    with instance.writer() as write:
        while not over.wait(TRY_EVERY):
            since = since or time.monotonic()
            with suppress(*LOCKED):
                write()
                longest, since = max(longest, time.monotonic() - since), 0.0
    return max(longest, time.monotonic() - since) if since else longest
