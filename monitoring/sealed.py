"""All that is sealed in the database, opened for one purpose: that it is masked wherever it turns up."""

from __future__ import annotations

import contextlib

from agents.keys import UnreadableKey, open_sealed
from agents.models import Account
from monitoring.models import Channel


def open_all() -> None:
    """Have this process know all stored keys and addresses, so that `redact` masks them in text that comes from elsewhere."""
    for sealed in (*Account.objects.values_list("key_sealed", "admin_key_sealed"), *Channel.objects.values_list("url_sealed")):
        for each in filter(None, sealed):
            with contextlib.suppress(UnreadableKey):
                open_sealed(each)
