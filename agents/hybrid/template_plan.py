"""The template agent's part of a step: its page, fetched where settings allow it, and the plan by page, records and learned facts.

Each fetch has its own client, so that no cookies are shared.
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
from agents.template.sites.site_plans import by_facts, has_plan

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 3.0
MAX_BYTES = 2_000_000
MOST_REDIRECTS = 2
HEADERS = {"Accept": "text/html", "User-Agent": "Mozilla/5.0"}


def recorded(step: Step, source: Source, caller: str | None, received_at: float) -> Sequence[Earlier] | None:
    """The task's earlier steps by our records; None: they can't be read."""
    try:
        of_task = fingerprint(source, caller, step.task_id, step.prompt)
        return ledger.earlier_steps(of_task, step.index, len(step.history), received_at)
    except UNAVAILABLE as error:
        logger.warning("The task's earlier steps can't be read (%s). Its history is used as the caller sends it.", error)
        return None


@dataclass(frozen=True, slots=True)
class Planned:
    """`step`: with its history completed by our records. `cuts`: a sentence for each part that was left out.

    `fault`: the traceback of an error; then `plan` is a plain one.
    """

    plan: Plan
    step: Step
    page: Page | None = None
    cuts: tuple[str, ...] = ()
    kind: str = ""
    fault: str = ""


def planned(history: TaskHistory, html: str, at: Place | None, cut_off: float, *, is_used: bool) -> Planned:
    """The plan of a step, within half the time to `cut_off` (monotonic seconds); a plain one unless `is_used`."""
    sent_step = history.step
    step, page, plan = sent_step, None, template.plain(sent_step)
    try:
        sites, now = known_sites(), time.monotonic()  # the first step of a process waits until the sites are loaded
        budget = TimeBudget(_overtime(now, now + (cut_off - now) / 2), 0.0)
        page = read(html, sent_step.url) if html else None
        step = history.completed(page)
        if is_used:
            learned = maps.facts_at(at, page)
            plan = template.plan(step, page, by_facts(sites, learned), budget, learned.solutions)
        cuts = (*step.cuts, *(page.cuts if page else ()), *template.cuts(step.prompt))
        return Planned(plan, step, page, cuts, template.kind(step.prompt))
    except Exception:
        logger.exception("The template agent failed on step %s of task %s. A plain answer is sent.", step.index, step.task_id)
        return Planned(template.plain(sent_step), step, page, sent_step.cuts, fault=traceback.format_exc())


def page_of(step: Step, hosts: Sequence[str], seconds: float) -> tuple[str, str]:
    """The page to plan with; it is fetched for a one-shot task without a page at an unknown site, and a sentence on that is returned."""
    try:
        if not step.page and hosts and step.form is Form.ONE_SHOT and not has_plan(step, known_sites()):
            return fetch(step.url, hosts, seconds)
    except Exception:
        logger.exception("The page of task %s could not be fetched. It is planned without.", step.task_id)
    return step.page, ""


def _overtime(began: float, latest: float) -> Callable[[], float]:
    """Seconds past `latest`, or past TEMPLATE_SECONDS of this thread's processor time; negative before both."""
    most = time.thread_time() + TEMPLATE_SECONDS

    def overtime() -> float:
        now = time.monotonic()
        # Processor time takes longer to read, and is never more than elapsed time.
        is_early = now - began < TEMPLATE_SECONDS
        return now - latest if is_early else max(now - latest, time.thread_time() - most)

    return overtime


def fetch(url: str, hosts: Sequence[str], seconds: float) -> tuple[str, str]:
    """The HTML of the page, "" for none, and a sentence for the record. Takes at most `seconds`; raises nothing."""
    try:
        entries = [allowed(host) for host in hosts]
        html = start(_page(url, entries), min(seconds, LONGEST_SECONDS)).result()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "", f"The page was not fetched: it can't be reached ({error or type(error).__name__})."
    except (LLMError, ValueError) as error:
        return "", f"The page was not fetched: {error}"
    return html, f"Fetched {url} first ({len(html) // 1000 + 1} kB)."


async def _page(url: str, entries: Sequence[Allowed]) -> str:
    """Raises ValueError with the reason where no page was read."""

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
                raise ValueError("it redirects to another host.")
    raise ValueError("it redirects too often.")


async def _html(response: httpx.Response) -> str:
    if not response.is_success:
        raise ValueError(f"it answers {response.status_code}.")
    if "html" not in response.headers.get("Content-Type", "html"):
        raise ValueError("it is not HTML.")
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError(f"it is longer than {MAX_BYTES} bytes.")
    return body.decode(response.charset_encoding or "utf-8", "replace")


def _origin(url: str) -> tuple[str, str, int]:
    """Raises ValueError unless the URL is absolute, with http or https."""
    parts = split_http(url)
    if parts is None:
        raise ValueError("its URL is not http or https.")
    return parts.scheme, str(parts.hostname), port_of(parts)
