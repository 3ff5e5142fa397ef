"""What tests of readings share: the queue as a worker sees it, and what the management host was asked."""

from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from agents.devtools.fake_chutes.process import FakeChutes
from agents.models import LeasedJob
from agents.operator_jobs import leased_job


def asked(fake_chutes: FakeChutes) -> list[str]:
    """The management paths that were asked for."""
    return [each["path"] for each in fake_chutes.state()["arrivals"] if each["path"].startswith("/users")]


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


def work(job: LeasedJob) -> bool:
    """Do one job as a worker would; the row is read again. False where another worker had it or it was lost."""
    is_mine = leased_job.run(job._meta.label, job.pk)
    job.refresh_from_db()
    return is_mine


def kinds_queued() -> list[str]:
    """The kinds of the jobs in the queue, in its order."""
    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("id")]
    return [package["args"][0] if package["func"] == leased_job.RUN else package["func"] for package in packages]
