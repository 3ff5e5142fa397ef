"""What tests of readings share: the queue as a worker sees it, and what the management host was asked."""

from __future__ import annotations

from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from agents.standin.process import StandIn


def asked(standin: StandIn) -> list[str]:
    """The management paths that were asked for."""
    return [each["path"] for each in standin.state()["arrivals"] if each["path"].startswith("/users")]


def queued() -> list[str]:
    """The jobs in the queue, with their arguments."""
    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    return [f"{each['func']}{each['args']}" for each in packages]


def work_off() -> None:
    """Run what is queued, as a worker would: the functions by their names, with their arguments."""
    for row in OrmQ.objects.order_by("id"):
        package = SignedPackage.loads(row.payload)
        row.delete()
        import_string(package["func"])(*package["args"])
