"""The document matches the calls: no input causes a server fault or an answer that is not documented."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from agents.tests.rows import each_row
from monitoring.tests.api.calling import V1, Program

pytestmark = [pytest.mark.django_db, pytest.mark.long]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SECONDS = 10  # of a processor for an example of each call and mode


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests by WSGI leave the test's connection open, as those of Django's own client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("examples", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_no_call_fails_or_gives_an_undocumented_answer(
    examples: int, records: None, one_connection: None, one_of_each: dict[str, str], admin_program: Program
) -> None:
    bearer = {"Authorization": f"Bearer {admin_program.text}", "Accept-Encoding": "identity"}
    schema = schemathesis.openapi.from_wsgi(f"{V1}/openapi.json", WSGIHandler(), headers=bearer)
    started, tried = time.process_time(), set[str]()

    def check(operation: Any) -> None:
        there = {name: one_of_each[name] for name in re.findall("{(.*?)}", operation.path)}
        known_place = {"path_parameters": there} if there else {}
        drawn_place = [(GenerationMode.POSITIVE, dict[str, Any]())] if there else []
        for mode, place in ((GenerationMode.POSITIVE, known_place), *drawn_place, (GenerationMode.NEGATIVE, known_place)):

            @settings(max_examples=examples, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode, **place))
            def call(case: Case[Any]) -> None:
                cache.clear()  # of the token's rate
                with transaction.atomic():
                    answer = case.call(headers=bearer)
                    transaction.set_rollback(True)
                tried.add(f"{operation.label} {answer.status_code}")
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as failures:
                    pytest.fail(f"{operation.label}: {failures.exceptions}", pytrace=False)

            call()

    each_row((result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)), check, lambda row: str(row.label))
    assert {int(call.split()[-1]) for call in tried} >= {200, 404, 409, 422}
    assert time.process_time() - started < SECONDS * (examples + 1)
