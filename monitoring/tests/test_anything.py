"""Any input to any address gets a readable answer, never a fault. Addresses are from the URL table, so new ones are covered."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from agents.configuration import change, default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Asked
from agents.hybrid.page_archive import packed
from agents.models import Caller, Learned, Replay, Settings, StepPage, Submission, WhatIf
from agents.tests.rows import each_row
from monitoring.models import ApiToken, JournalImport, MaintenanceWindow, SavedView
from monitoring.settings import transfer
from monitoring.tests.anything import BODIES, DOCUMENT_VALUES, HARDEST, HEADERS, NUMBERS, VALUES, WORDS, entered, names_read
from monitoring.tests.reading import tree_of
from monitoring.tests.records import make_attempt, make_channel, make_export, make_llm_step, make_task
from monitoring.tests.sign_in.people import confirm, make_passkey, make_session
from monitoring.tests.status_records import make_component, make_result, make_run, make_schedule
from monitoring.tests.web.test_access import routes

pytestmark = pytest.mark.django_db

# The API has its own tests (monitoring/tests/api).
ROUTES = [route for route in routes(get_resolver().url_patterns) if route != "logout/" and not route.startswith("api/")]
PLACED = [route for route in ROUTES if "<" in route]
POSTED = [route for route in ROUTES if not route.startswith(("health/", "metrics"))]
# Each route gets a 48th of the values, each value goes to a 48th of the routes; all to all in the slow suite.
SOME_THEN_ALL = pytest.mark.parametrize("every", [pytest.param(48, marks=pytest.mark.long), pytest.param(1, marks=pytest.mark.slow)])


def share(values: Sequence[Any], number: int, every: int) -> Sequence[Any]:
    """The values for the route of this number: at least one."""
    every = min(every, len(values))
    return values[number % every :: every]


class Panel:
    """An admin at a panel with a row of each kind; changes by requests are rolled back."""

    def __init__(self, client: Client) -> None:
        self.client, now = client, timezone.now()
        step = make_llm_step(make_task())
        make_attempt(step)
        request = Asked("/step", Form.STEP, "t", "Search for the film", "http://localhost:8000/?seed=58", "<a href='/films'>Films</a>")
        StepPage.objects.create(step=step, gz=packed(request), kept_until=now + timedelta(days=1))
        change({"spacing_seconds": 7}, by=None, reason="test")
        run = make_run()
        make_result(run)
        Submission.objects.create(task=step.task, enqueued_at=now)
        visitor = User.objects.get(username="one-of-admins")
        confirm(client, visitor)
        self._account, self._channel = default_account().pk, make_channel().pk
        self._ids = {
            "replays/": Replay.objects.create(step=step, requested_at=now).pk,
            "steps/": step.pk,
            "tasks/": step.task_id,
            "tests/schedules/": make_schedule().pk,
            "tests/": run.pk,
            "deployment/": make_export().pk,
            "sites/": Learned.objects.create(site="a:1", kind="route", key="/", size=200, seen_at=now).pk,
            "notifications/maintenance/": MaintenanceWindow.objects.create(
                starts_at=now, ends_at=now + timedelta(hours=1), reason="Move"
            ).pk,
            "account/tokens/": ApiToken.objects.create(user=visitor, name="t", scope="read", created_at=now, digest="0" * 64).pk,
            "views/": SavedView.objects.create(user=visitor, page="tasks", name="v", query="route:llm", sort="newest").pk,
            "components/": make_component("web").pk,
            "rate-limit/what-if/": WhatIf.objects.create(requested_at=now).pk,
            "logs/imports/": JournalImport.objects.create(name="a.log", started_at=now).pk,
            "settings/changes/": Settings.history.latest().pk,
            "callers/": Caller.objects.create(address="203.0.113.7", first_seen_at=now, last_seen_at=now).pk,
            "account/second-factor/passkeys/": make_passkey(visitor).pk,
            "account/sessions/": make_session(visitor).pk,
            "settings/users/": User.objects.create_user("other").pk,
            "settings/accounts/": self._account,
        }

    def address(self, route: str, **other: str) -> str:
        """The address of a route: of existing rows, except for the arguments given."""
        there = {"int:account": self._account, "int:number": self._channel, "str:kind": "settings"}
        if "int:pk" in route:
            there["int:pk"] = next(pk for start, pk in self._ids.items() if route.startswith(start))
        there |= other
        return "/" + re.sub("<(.*?)>", lambda match: str(there[match[1]]), route)

    def send(self, method: str, address: str, data: Any = None, *, client: Client | None = None, **more: Any) -> HttpResponseBase:
        """Sends a request and checks the answer: complete, no fault, and errors as a page of the panel."""
        client = client or self.client
        sent = f"{method} {address[:200]} {str(data)[:200]} {str(more)[:200]}"
        with transaction.atomic():
            try:
                act = partial(client.generic, "POST") if method == "raw" else getattr(client, method)
                answer: HttpResponseBase = act(address, data or {}, **more)
                if isinstance(answer, StreamingHttpResponse):
                    b"".join(answer)
            except Exception as error:
                error.add_note(sent)
                raise
            finally:
                transaction.set_rollback(True)
        assert answer.status_code < 500, sent
        if answer.status_code >= 400 and "html" in answer["Content-Type"]:
            assert tree_of(answer).xpath("//h1")[0].text_content().strip(), sent
        return answer


@pytest.fixture
def panel(admin: Client) -> Panel:
    return Panel(admin)


@pytest.mark.parametrize("method", ["get", "post"])
@SOME_THEN_ALL
def test_any_value_of_any_parameter_or_field(method: str, every: int, panel: Panel) -> None:
    each_row(ROUTES, partial(send_any_value, panel, method, every))


def send_any_value(panel: Panel, method: str, every: int, route: str) -> None:
    address, client = panel.address(route), Client() if route.startswith("login/") else panel.client
    with names_read() as names:
        if panel.send(method, address, client=client).status_code == 405:
            return
        good, files = entered(client, address) if method == "post" else ({}, [])
        panel.send(method, address, good, client=client)
        for value in share(VALUES, ROUTES.index(route), every) if names else ():
            panel.send(method, address, dict.fromkeys(names, value), client=client)
        for number, name in enumerate(sorted(names)):  # includes those read only if others are given
            for value in share(HARDEST, number, every):
                panel.send(method, address, {**good, name: value}, client=client)
    for name in files:
        for content in (b"", b"\0\xff", b"{", b"\x1f\x8b broken"):
            panel.send(method, address, {**good, name: SimpleUploadedFile("\0/../a\r\nb", content)}, client=client)


@SOME_THEN_ALL
def test_any_place_in_an_address(every: int, panel: Panel) -> None:
    for number, (route, place) in enumerate([(route_name, place) for route_name in PLACED for place in re.findall("<(.*?)>", route_name)]):
        for value in share(NUMBERS if place.startswith("int") else WORDS, number, every):
            for method in ("get", "post"):
                panel.send(method, panel.address(route, **{place: value}))


@SOME_THEN_ALL
def test_any_body(every: int, panel: Panel, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    for number, route in enumerate(POSTED):
        client = Client() if route.startswith("login/") else panel.client
        for kind, body in share(BODIES, number, every):
            panel.send("raw", panel.address(route), body, client=client, content_type=kind)


@SOME_THEN_ALL
def test_any_header_from_an_untrusted_address(every: int, panel: Panel) -> None:
    def check(route: str) -> None:
        for headers in share(HEADERS, ROUTES.index(route), every):
            for method in ("get", "post"):
                panel.send(method, panel.address(route), client=Client(), headers=headers)

    each_row(ROUTES, check)


@SOME_THEN_ALL
def test_any_document_that_is_imported(every: int, panel: Panel) -> None:
    for document in documents(transfer.exported(), every):
        panel.send("post", "/settings/import/", {"text": document})


def documents(good: dict[str, Any], every: int) -> Iterator[str]:
    """Variants with one wrong value, and some that are not valid at all."""
    yield from ("[" * 100_000, '{"version": 1, "settings": {"\\ud800": 1}}', '{"version": 1, "accounts": [{"name": "\\ud800"}]}')
    for number, place in enumerate(places(good)):
        for value in share(DOCUMENT_VALUES, number, every):
            yield json.dumps(changed(good, place, "@here@")).replace('"@here@"', value)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values within a value, from the top."""
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in within:
        yield (*above, key)
        yield from places(item, (*above, key))


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """The same with another value at that place."""
    if not place:
        return new
    items = value.items() if isinstance(value, dict) else enumerate(value)
    pairs = [(key, changed(item, place[1:], new) if key == place[0] else item) for key, item in items]
    return dict(pairs) if isinstance(value, dict) else [item for _, item in pairs]
