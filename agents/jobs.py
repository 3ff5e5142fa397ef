"""What the worker runs for the miner. Jobs take ids, never keys or pages."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from agents import heartbeat, ledger, llm, probing, readings, replays, spool, step_pages, submissions
from agents import what_if as what_ifs
from agents.configuration import provider
from agents.keys import UnreadableKey
from agents.models import Account
from agents.reasons import Purpose, Reason

logger = logging.getLogger(__name__)

# An attempt that is still open this long after its cut-off has lost its process: Write 2 and the spool take seconds.
LOST_AFTER = timedelta(minutes=2)


def answer_submission(pk: int) -> bool:
    """Answer an operator's task. False where another worker had it."""
    return submissions.answer(pk)


def what_if(pk: int) -> bool:
    """Try settings out on the last hours. False where another worker had it."""
    return what_ifs.answer(pk)


def replay(pk: int) -> bool:
    """Answer a step once more, as a test. False where another worker had it."""
    return replays.answer(pk)


def forget_pages() -> int:
    """Drop the pages of steps whose time is over. Returns how many."""
    return step_pages.prune(timezone.now())


def canary() -> None:
    """Every few seconds: the worker's sign of life, what dead processes left, probes and readings that are due, whatever else watches."""
    heartbeat.beat()
    reconcile()
    now = timezone.now()
    probing.enqueue_due(now)
    readings.enqueue_caps(now)
    for path in settings.WATCH_JOBS:
        async_task(path, save=False)


def probe(pk: int) -> str:
    """An operator's probe of an account. Returns how it ended."""
    account = Account.objects.get(pk=pk)
    try:
        sent = probing.send(account, Purpose.PROBE)
    except UnreadableKey as error:
        logger.error("Account %s can't be probed: %s", account.name, error)
        return Reason.NO_KEY
    return sent.end.verdict if sent.end else sent.reason


def probe_if_due(pk: int) -> str:
    """The machine's probe: while it waited in the queue a step may have found out already."""
    return probe(pk) if probing.is_due(Account.objects.get(pk=pk), timezone.now()) else "not due any more"


def reconcile() -> None:
    """Take up what dead processes left: tasks and what-ifs without a worker, attempts without an end, facts in the spool."""
    spooled = spool.drain()
    # After the spool: what waited there is neither lost nor without an answer.
    now = timezone.now()
    requeued = submissions.requeue_overdue(now) + what_ifs.requeue_overdue(now) + replays.requeue_overdue(now)
    lost = ledger.lose_attempts(now - LOST_AFTER)
    if requeued or lost or spooled:
        logger.info("Taken up: %d tasks queued again, %d attempts closed as lost, %d spooled steps written.", requeued, lost, spooled)


def read_catalogues() -> None:
    """Read each enabled account's public model list, for prices and for the choice of models where none are named."""
    for account in Account.objects.filter(enabled=True):
        try:
            listed = llm.catalogue(provider(account))
        except (llm.LLMError, ValueError) as error:
            # A miner of the template agent alone misses nothing.
            level = logging.WARNING if _has_key(account) else logging.DEBUG
            logger.log(level, "The model list of account %s can't be read: %s", account.name, error)
            continue
        Account.objects.filter(pk=account.pk).update(catalogue=listed, catalogue_at=timezone.now())


def _has_key(account: Account) -> bool:
    """Whether it has a key, one that can't be opened included."""
    try:
        return bool(provider(account).key)
    except UnreadableKey:
        return True


def read_quotas() -> None:
    """Have each account read that has an admin key and is due."""
    readings.enqueue_due(timezone.now())


def read_quota(pk: int) -> bool:
    """Read what one account has left. False where another worker has done so in the last minutes."""
    return readings.read(Account.objects.get(pk=pk), timezone.now()) is not None


def read_cap(pk: int) -> bool:
    """Read when the cap of a refused account resets. False where that is known by now."""
    return readings.read_cap(Account.objects.get(pk=pk), timezone.now())
