"""Helpers for tests of jobs: the queue as a worker reads it, and the requests to the management host."""

from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from agents.devtools.fake_chutes.process import FakeChutes
from agents.models import LeasedJob
from agents.operator_jobs import leased_job


def management_paths(fake_chutes: FakeChutes) -> list[str]:
    """The paths of the requests to the management API."""
    return [arrival["path"] for arrival in fake_chutes.state()["arrivals"] if arrival["path"].startswith("/users")]


def queued() -> list[str]:
    """The jobs in the queue, with their arguments."""
    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    return [f"{package['func']}{package['args']}" for package in packages]


def work_off() -> None:
    """Run the queued jobs as a worker would."""
    for row in OrmQ.objects.order_by("id"):
        package = SignedPackage.loads(row.payload)
        row.delete()
        import_string(package["func"])(*package["args"])


def work(job: LeasedJob) -> bool:
    """Do one job as a worker would; the row is read again. False where another worker had it or it was lost."""
    is_mine = leased_job.run(job._meta.label, job.pk)
    job.refresh_from_db()
    return is_mine


def kinds_queued() -> list[str]:
    """The kinds of the jobs in the queue, in its order."""
    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("id")]
    return [package["args"][0] if package["func"] == leased_job.RUN else package["func"] for package in packages]
