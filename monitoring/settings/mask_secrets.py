import contextlib

from agents.configuration.keys import UnreadableKey, open_sealed
from agents.models import Account
from monitoring.models import Channel


def open_all() -> None:
    """Open all sealed keys and addresses, so that this process masks them (`redact`) in text that comes from elsewhere."""
    for sealed in (*Account.objects.values_list("key_sealed", "admin_key_sealed"), *Channel.objects.values_list("url_sealed")):
        for each in filter(None, sealed):
            with contextlib.suppress(UnreadableKey):
                open_sealed(each)
