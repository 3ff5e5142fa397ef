"""The functions that the worker runs for the miner. Jobs have ids as arguments, never keys or pages."""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from agents import ledger
from agents.accounts import probing, quota_readings
from agents.configuration import provider
from agents.hybrid import page_archive, spool
from agents.llm import client
from agents.models import Account, AccountJob
from agents.operator_jobs import leased_job
from agents.policy.reasons import Purpose
from agents.worker import heartbeat

logger = logging.getLogger(__name__)

# The process of an attempt that is open for this long after its cut-off has died: Write 2 and the spool take seconds.
LOST_AFTER = timedelta(minutes=2)
SPOOL_SECONDS = 60.0  # less than a job may take; the rest of a large spool is written in the next round


def canary() -> None:
    heartbeat.beat()
    if requeued := leased_job.dispatch(timezone.now()):
        logger.info("%d jobs whose worker ended were queued again.", requeued)


def work_on_account(job: AccountJob) -> None:
    account, now, kind = job.account, timezone.now(), AccountJob.Kind(job.kind)
    match kind:
        case kind.PROBE | kind.PROBE_IF_DUE:
            if kind is kind.PROBE or probing.is_due(account, now):  # a step may have probed it meanwhile
                probing.send(account, Purpose.PROBE)
        case kind.READ_QUOTA:
            quota_readings.read(account, now)
        case kind.READ_CAP:
            quota_readings.read_cap(account, now)


def forget_pages(now: datetime) -> str:
    return f"{page_archive.prune(now):,} pages deleted."


def reconcile(_: datetime) -> str:
    spooled = spool.drain(SPOOL_SECONDS)
    lost = ledger.lose_attempts(timezone.now() - LOST_AFTER)  # after the spool, whose attempts are not lost
    if not lost and not spooled:
        return ""
    logger.info("%d attempts closed as lost, %d spooled steps written.", lost, spooled)
    return f"{lost} attempts closed as lost, {spooled} spooled steps written."


def read_catalogues(_: datetime) -> None:
    for account in Account.objects.filter(enabled=True):
        key = "unreadable"
        try:
            account_provider = provider(account)
            key = account_provider.key
            Account.objects.filter(pk=account.pk).update(catalogue=client.catalogue(account_provider))
        except (client.LLMError, ValueError) as error:
            if key:  # without a key only the template agent is used
                logger.warning("The model list of account %s can't be read: %s", account.name, error)
