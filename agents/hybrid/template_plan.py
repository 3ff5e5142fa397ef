"""The template agent's part of a step: its page, fetched where an admin allows that, and the plan by page, records and learned facts.

Each fetch has a client of its own: no cookies of another one.
"""

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from agents import ledger, template
from agents.configuration.known_sites import known_sites
from agents.contract.allowed_hosts import Address, Allowed, allowed, host_is_listed, may_connect
from agents.contract.earlier import Earlier
from agents.contract.origins import port_of, split_http
from agents.contract.protocol import Form, Plan, Step
from agents.contract.step_facts import fingerprint
from agents.database import UNAVAILABLE
from agents.learning import maps
from agents.learning.store import Place
from agents.llm.checked_transport import CheckedTransport
from agents.llm.client import LLMError, start
from agents.models import Source
from agents.page import Page, read
from agents.prompting.task_history import TaskHistory
from agents.template.budget import TEMPLATE_SECONDS, TimeBudget
from agents.template.sites.site_plans import by_facts, knows

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 3.0
MAX_BYTES = 2_000_000
MOST_REDIRECTS = 2
HEADERS = {"Accept": "text/html", "User-Agent": "Mozilla/5.0"}


def recorded(step: Step, source: Source, caller: str | None, received_at: float) -> Sequence[Earlier] | None:
    """What our records hold of the task's steps before this one; None: they can't be read."""
    try:
        of_task = fingerprint(source, caller, step.task_id, step.prompt)
        return ledger.earlier_steps(of_task, step.index, len(step.history), received_at)
    except UNAVAILABLE as error:
        logger.warning("The task's earlier steps can't be read (%s). Its history is used as the caller sends it.", error)
        return None


@dataclass(frozen=True, slots=True)
class Planned:
    """`step`: with its history completed by our records; `page` None: there is none. `cuts`: a sentence for each part that was left out.

    `fault`: the traceback of what failed; then `plan` is a plain one.
    """

    plan: Plan
    step: Step
    page: Page | None = None
    cuts: tuple[str, ...] = ()
    kind: str = ""
    fault: str = ""


def planned(history: TaskHistory, html: str, at: Place | None, cut_off: float, *, is_used: bool) -> Planned:
    """The plan of a step, within half the time to `cut_off`, in monotonic seconds; a plain one where it is not `is_used`."""
    came = history.step
    step, page, plan = came, None, template.plain(came)
    try:
        sites, now = known_sites(), time.monotonic()  # the first step of a process waits until the sites are loaded
        budget = TimeBudget(_overtime(now, now + (cut_off - now) / 2), 0.0)
        page = read(html, came.url) if html else None
        step = history.completed(page)
        if is_used:
            learned = maps.facts_at(at, page)
            plan = template.plan(step, page, by_facts(sites, learned), budget, learned.solutions)
        cuts = (*step.cuts, *(page.cuts if page else ()), *template.cuts(step.prompt))
        return Planned(plan, step, page, cuts, template.kind(step.prompt))
    except Exception:
        logger.exception("The template agent failed on step %s of task %s. A plain answer is sent.", came.index, came.task_id)
        return Planned(template.plain(came), step, page, came.cuts, fault=traceback.format_exc())


def page_of(step: Step, hosts: Sequence[str], seconds: float) -> tuple[str, str]:
    """The page that a step is planned with, and a sentence where it was fetched: of a one-shot task without a page, at an unknown site."""
    try:
        if not step.page and hosts and step.form is Form.ONE_SHOT and not knows(step, known_sites()):
            return fetch(step.url, hosts, seconds)
    except Exception:
        logger.exception("The page of task %s could not be fetched. It is planned without.", step.task_id)
    return step.page, ""


def _overtime(began: float, latest: float) -> Callable[[], float]:
    """Seconds by which this thread is past `latest`, or past TEMPLATE_SECONDS of the processor; negative before both."""
    most = time.thread_time() + TEMPLATE_SECONDS

    def overtime() -> float:
        now = time.monotonic()
        # The processor's time, which takes longer to read, is never more than that of the clock.
        is_early = now - began < TEMPLATE_SECONDS
        return now - latest if is_early else max(now - latest, time.thread_time() - most)

    return overtime


def fetch(url: str, hosts: Sequence[str], seconds: float) -> tuple[str, str]:
    """The HTML of the page at `url`, "" for none, and a sentence for the record. Takes at most `seconds`; never raises."""
    try:
        entries = [allowed(host) for host in hosts]
        html = start(_page(url, entries), min(seconds, LONGEST_SECONDS)).result()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "", f"The page was not fetched: it can't be reached ({error or type(error).__name__})."
    except (LLMError, ValueError) as error:
        return "", f"The page was not fetched: {error}"
    return html, f"Fetched {url} first ({len(html) // 1000 + 1} kB)."


async def _page(url: str, entries: Sequence[Allowed]) -> str:
    """Raises ValueError with the reason, for the record, where no page was read."""

    def check(host: str, port: int, addresses: Iterable[Address]) -> None:
        if not host_is_listed(host, port, entries):
            raise ValueError(f"{host}:{port} is not on the list of hosts.")
        for address in addresses:
            if not may_connect(address, port, entries):
                raise ValueError(f"{host} is at {address}, a private address that is not listed.")

    origin = _, host, port = _origin(url)
    check(host, port, ())
    transport = CheckedTransport(httpx.Limits(), check)
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=LONGEST_SECONDS) as client:
        for _ in range(MOST_REDIRECTS + 1):
            async with client.stream("GET", url, headers=HEADERS) as response:
                if not response.is_redirect:
                    return await _html(response)
            url = urljoin(url, response.headers.get("Location", "") or "/")
            if _origin(url) != origin:
                raise ValueError("it leads to another host.")
    raise ValueError("it redirects too often.")


async def _html(response: httpx.Response) -> str:
    if not response.is_success:
        raise ValueError(f"it answers {response.status_code}.")
    if "html" not in response.headers.get("Content-Type", "html"):
        raise ValueError("it is no HTML.")
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError(f"it is longer than {MAX_BYTES} bytes.")
    return body.decode(response.charset_encoding or "utf-8", "replace")


def _origin(url: str) -> tuple[str, str, int]:
    """Raises ValueError for what is no absolute http(s) URL."""
    parts = split_http(url)
    if parts is None:
        raise ValueError("it has no http or https address.")
    return parts.scheme, str(parts.hostname), port_of(parts)
