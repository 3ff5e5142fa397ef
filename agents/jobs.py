"""What the worker runs for the miner. Jobs take ids, never keys or pages."""

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

# An attempt that is still open this long after its cut-off has lost its process: Write 2 and the spool take seconds.
LOST_AFTER = timedelta(minutes=2)
SPOOL_SECONDS = 60.0  # less than a job may take. What is left of a large spool then is written by the next round.


def canary() -> None:
    heartbeat.beat()
    if taken_up := leased_job.dispatch(timezone.now()):
        logger.info("Taken up: %d jobs whose worker ended.", taken_up)


def work_on_account(job: AccountJob) -> None:
    account, now, kind = job.account, timezone.now(), AccountJob.Kind(job.kind)
    match kind:
        case kind.PROBE | kind.PROBE_IF_DUE:
            if kind is kind.PROBE or probing.is_due(account, now):  # a step may have found out while this waited
                probing.send(account, Purpose.PROBE)
        case kind.READ_QUOTA:
            quota_readings.read(account, now)
        case kind.READ_CAP:
            quota_readings.read_cap(account, now)


def forget_pages(now: datetime) -> str:
    return f"{page_archive.prune(now):,} pages deleted."


def reconcile(_: datetime) -> str:
    spooled = spool.drain(SPOOL_SECONDS)
    lost = ledger.lose_attempts(timezone.now() - LOST_AFTER)  # after the spool: what waited there is not lost
    if not lost and not spooled:
        return ""
    logger.info("Taken up: %d attempts closed as lost, %d spooled steps written.", lost, spooled)
    return f"{lost} attempts closed as lost, {spooled} spooled steps written."


def read_catalogues(_: datetime) -> None:
    for account in Account.objects.filter(enabled=True):
        key = "unreadable"
        try:
            known = provider(account)
            key = known.key
            Account.objects.filter(pk=account.pk).update(catalogue=client.catalogue(known))
        except (client.LLMError, ValueError) as error:
            if key:  # a miner of the template agent alone misses nothing
                logger.warning("The model list of account %s can't be read: %s", account.name, error)
