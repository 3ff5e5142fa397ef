"""A call takes a fixed number of queries, however many rows there are."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.configuration import default_account
from agents.models import Account, Caller, Step, Task
from monitoring.api import document as api
from monitoring.models import Component, Scope, TestRun
from monitoring.tests.api.calling import V1, Program, program
from monitoring.tests.test_pages import fill

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def paths() -> list[str]:
    """All readable paths of the existing rows."""
    ones = {"account": default_account(), "task": Task.objects.earliest("pk"), "step": Step.objects.earliest("pk")}
    ones |= {"run": TestRun.objects.earliest("pk"), "component": Component.objects.earliest("pk")}
    listed = [path for path, methods in api.document()["paths"].items() if "get" in methods and "/what-if/{" not in path]
    return [path.removeprefix(V1).format(**{name: row.pk for name, row in ones.items()}) for path in listed]


def queries(reader: Program, path: str) -> int:
    reader.get(path)  # fills the process's caches, and records the token's last use
    cache.clear()
    with CaptureQueriesContext(connection) as made:
        reader.get(path)
    return len(made)


def test_each_call_takes_as_many_queries_for_forty_rows_as_for_one(groups: None) -> None:
    Account.objects.all().delete()
    fill(1)
    reader, read = program(Scope.READ, "viewers"), paths()
    few = {path: queries(reader, path) for path in read}
    Caller.objects.all().delete()
    fill(40)
    assert {path: queries(reader, path) for path in read} == few
    assert max(few.values()) <= 25
