"""What is learned of a pause after it began: a refusal for a reached cap does not say when the cap resets."""

from __future__ import annotations

import logging

from django.db import transaction

from agents import gates, words
from agents.ledger import events
from agents.ledger.times import at
from agents.models import Account
from agents.reasons import PauseSource

logger = logging.getLogger(__name__)


def retell(account: Account, until: float, *, read_at: float, now: float) -> bool:
    """The subscription's usage, read at `read_at`, says that its cap resets at `until`: move the end of the pause that it caused.

    False where no such pause runs, where it began after the reading, or where it ends then already.
    """
    with transaction.atomic():
        row = gates.locked(account)
        gate = gates.read(row)
        moved = words.retold(gate, now, until, PauseSource.SUBSCRIPTION) if gate.paused_at <= read_at else gate
        if moved == gate:
            return False
        gates.save(row, moved)
        events.retold(account, moved)
    logger.info(
        "Account %s: the subscription's cap resets at %s. The pause ends then.", account.name, at(until).strftime("%d %b %H:%M UTC")
    )
    return True
