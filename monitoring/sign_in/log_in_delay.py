"""Wrong passwords and codes slow down the address that they come from, and nobody else: no user is ever locked.

After the free tries each wrong one doubles the time until the next. A try that comes too early is refused before the password is hashed.
"""

import ipaddress
import math
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from monitoring.models import FailedLogIns

FREE_TRIES = 5  # somebody with a forgotten password needs about three
# Seconds. With it 1,440 tries a day are possible, against passwords of 12 characters that are on no list.
LONGEST_DELAY = 60
QUIET = timedelta(hours=1)  # older tries say nothing of who has the address now
# Of sources that are remembered; beyond it the oldest are forgotten. With as many addresses nobody needs a second try from any.
MOST_SOURCES = 10_000
IPV6_PREFIX = 64  # what a provider gives to one customer


class Admission(NamedTuple):
    """Whether a try may be made: `wait` is 0, or the seconds until the next may. `tries`: with this one."""

    wait: int
    tries: int


def source_of(address: str | None) -> str:
    if address is None:
        return "unknown"
    parsed = ipaddress.ip_address(address)
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


def admit(source: str, now: datetime) -> Admission:
    with transaction.atomic():
        # Counted before the password is checked, so that many at once are no way around the limit.
        row, is_new = FailedLogIns.objects.select_for_update().get_or_create(source=source, defaults={"last_at": now, "not_before": now})
        tries = row.tries if now - row.last_at < QUIET else 0
        wait = (row.not_before - now).total_seconds() if tries >= FREE_TRIES else 0.0
        if wait > 0:
            return Admission(min(math.ceil(wait), LONGEST_DELAY), tries)
        row.tries, row.last_at, row.not_before = tries + 1, now, now + timedelta(seconds=delay(tries + 1))
        row.save()
        if is_new:
            FailedLogIns.objects.filter(last_at__lt=now - QUIET).delete()
            beyond = FailedLogIns.objects.order_by("-last_at", "-pk").values_list("pk", flat=True)[MOST_SOURCES : MOST_SOURCES + 100]
            FailedLogIns.objects.filter(pk__in=list(beyond)).delete()
    return Admission(0, row.tries)


def delay(tries: int) -> int:
    beyond = tries - FREE_TRIES
    return 0 if beyond < 0 else min(2 ** min(beyond, 10), LONGEST_DELAY)


def succeeded(source: str) -> None:
    FailedLogIns.objects.filter(source=source).delete()
