"""How long Healthchecks' log page takes: run by its own Python in a checkout of it, on the database of the environment."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

DAYS, ROUNDS, BATCH = 90, 25, 10_000


def main() -> None:
    """Print seconds, queries and bytes as JSON."""
    import django  # noqa: PLC0415 -- the settings are of its own

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("compress", verbosity=0)
    check = made_check(int(os.environ["PINGS"]))
    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(check.project.owner, backend="hc.accounts.backends.EmailBackend")
    address, seconds = f"/checks/{check.code}/log/", []
    for turn in range(ROUNDS + 1):
        began = time.perf_counter()
        response = client.get(address)
        if turn:  # the first one compiles templates
            seconds.append(time.perf_counter() - began)
        assert response.status_code == 200, response.content
    with CaptureQueriesContext(connection) as seen:
        client.get(address)
    print(json.dumps({"seconds": seconds, "queries": len(seen), "bytes": len(response.content)}))


def made_check(pings: int) -> Any:
    """A check with so many pings over the last 90 days, all of them kept."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    accounts, api = import_module("hc.accounts.models"), import_module("hc.api.models")
    if check := api.Check.objects.filter(n_pings=pings).first():
        return check
    user = User.objects.create_user("bench", "bench@example.org")
    accounts.Profile.objects.create(user=user, ping_log_limit=2 * pings)
    project = accounts.Project.objects.create(owner=user, name="bench")
    now = timezone.now()
    check = api.Check.objects.create(project=project, name="bench", status="up", last_ping=now)
    api.Check.objects.filter(pk=check.pk).update(created=now - timedelta(days=DAYS))
    for first in range(1, pings + 1, BATCH):
        api.Ping.objects.bulk_create(
            api.Ping(
                n=n,
                owner=check,
                created=now - timedelta(days=DAYS) * (pings - n) / pings,
                remote_addr="203.0.113.12",
                method="POST",
                ua="curl/8.14.1",
                body_raw=b"backup done, 12,480 files",
            )
            for n in range(first, min(first + BATCH, pings + 1))
        )
    api.Check.objects.filter(pk=check.pk).update(n_pings=pings)
    check.refresh_from_db()
    return check


if __name__ == "__main__":
    main()
