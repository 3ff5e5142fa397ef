"""Every address × method × role, from the URL table: a new address without a rule fails here."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from agents.configuration import default_account
from agents.models import Caller, Learned, Replay, Submission, WhatIf
from agents.tests.rows import each_row
from monitoring.models import JournalImport, MaintenanceWindow
from monitoring.tests.reading import HTMX, text_of, tree_of
from monitoring.tests.records import make_channel, make_export, make_step, make_task
from monitoring.tests.sign_in.people import make_app, make_passkey, make_session
from monitoring.tests.status_records import make_component, make_run, make_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.long]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
ROLES = ("anonymous", "stranger", "viewers", "operators", "admins")
ALL_GROUPS = frozenset({"viewers", "operators", "admins"})
OPERATORS = frozenset({"operators", "admins"})
ADMINS = frozenset({"admins"})
READ = {"GET": ALL_GROUPS, "HEAD": ALL_GROUPS}
OPERATE = {"GET": OPERATORS, "HEAD": OPERATORS, "POST": OPERATORS}
ALL_USERS = ALL_GROUPS | {"stranger"}  # includes users without a group
OWN = dict.fromkeys(("GET", "HEAD", "POST"), ALL_USERS)
# Route → method → who may. Other methods are refused.
RULES: dict[str, dict[str, frozenset[str]]] = {
    "": READ,
    "first-steps/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "figures/": READ,
    "compare/": READ,
    "tasks/": READ,
    "tasks/new/": OPERATE,
    "tasks/<int:pk>/": READ,
    "tasks/<int:pk>/cancel/": {"POST": OPERATORS},
    "tasks/export/": READ,
    "steps/": READ,
    "steps/export/": READ,
    "steps/<int:pk>/replay/": {**READ, "POST": OPERATORS},
    "steps/<int:pk>/page/": READ,
    "replays/<int:pk>/cancel/": {"POST": OPERATORS},
    "attempts/": READ,
    "attempts/export/": READ,
    "tests/": {**READ, "POST": OPERATORS},
    "tests/<int:pk>/": READ,
    "tests/<int:pk>/cancel/": {"POST": OPERATORS},
    "tests/<int:pk>/report.md": READ,
    "tests/<int:pk>/report.json": READ,
    "tests/schedules/new/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "tests/schedules/<int:pk>/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "tests/schedules/<int:pk>/switch/": {"POST": ADMINS},
    "tests/schedules/<int:pk>/delete/": {"POST": ADMINS},
    "components/": READ,
    "components/watcher/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "components/<int:pk>/": READ,
    "rate-limit/": READ,
    "rate-limit/events/": READ,
    "rate-limit/<int:account>/probe/": OPERATE,
    "rate-limit/<int:account>/pause/": OPERATE,
    "rate-limit/<int:account>/resume/": OPERATE,
    "rate-limit/<int:account>/clear/": OPERATE,
    "rate-limit/what-if/": {**READ, "POST": OPERATORS},
    "rate-limit/pacing/": {"POST": ADMINS},
    "rate-limit/what-if/<int:pk>/cancel/": {"POST": OPERATORS},
    "palette/": READ,
    "tasks/views/": {"POST": ALL_GROUPS},
    "steps/views/": {"POST": ALL_GROUPS},
    "attempts/views/": {"POST": ALL_GROUPS},
    "views/<int:pk>/delete/": {"POST": ALL_GROUPS},
    "callers/": READ,
    "callers/<int:pk>/": {"POST": ADMINS},
    "sites/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "sites/<int:pk>/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "sites/site.toml": {"GET": ADMINS, "HEAD": ADMINS},
    "deployment/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "deployment/<int:pk>/agent.tar.gz": {"GET": ADMINS, "HEAD": ADMINS},
    "audit/": READ,
    "audit/export/": READ,
    "account/tokens/": {**READ, "POST": ALL_GROUPS},
    "account/tokens/api/": READ,
    "account/tokens/<int:pk>/revoke/": {"POST": ALL_GROUPS},
    "account/password/": OWN,
    "account/confirm/": OWN,
    "account/second-factor/": {"GET": ALL_USERS, "HEAD": ALL_USERS},
    "account/second-factor/app/": OWN,
    "account/second-factor/app/remove/": {"POST": ALL_USERS},
    "account/second-factor/passkeys/add/": OWN,
    "account/second-factor/passkeys/<int:pk>/remove/": {"POST": ALL_USERS},
    "account/second-factor/codes/": {"POST": ALL_USERS},
    "account/sessions/": {"GET": ALL_USERS, "HEAD": ALL_USERS},
    "account/sessions/<int:pk>/end/": {"POST": ALL_USERS},
    "account/sessions/end-others/": {"POST": ALL_USERS},
    "logs/": READ,
    "logs/download.log": READ,
    "logs/download.jsonl": READ,
    "logs/imports/": {**READ, "POST": OPERATORS},
    "notifications/": READ,
    "notifications/deliveries/": READ,
    "notifications/notices/": READ,
    "notifications/channels/new/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "notifications/channels/<int:number>/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "notifications/channels/<int:number>/test/": {"POST": ADMINS},
    "notifications/channels/<int:number>/switch/": {"POST": ADMINS},
    "notifications/channels/<int:number>/delete/": {"POST": ADMINS},
    "notifications/maintenance/new/": OPERATE,
    "notifications/maintenance/<int:pk>/end/": {"POST": OPERATORS},
    "settings/": {**READ, "POST": ADMINS},
    "settings/preview/": READ,
    "settings/export/": READ,
    "settings/import/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "settings/changes/<str:kind>/<int:pk>/revert/": {"POST": ADMINS},
    "settings/retention/": {**READ, "POST": ADMINS},
    "settings/users/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "settings/users/<int:pk>/group/": {"POST": ADMINS},
    "settings/users/<int:pk>/switch/": {"POST": ADMINS},
    "settings/users/<int:pk>/reset/": {"POST": ADMINS},
    "settings/users/tokens/<int:pk>/revoke/": {"POST": ADMINS},
    "settings/users/<int:pk>/second-factor/": {"POST": ADMINS},
    "settings/accounts/new/": {"GET": ADMINS, "HEAD": ADMINS, "POST": ADMINS},
    "settings/accounts/<int:pk>/": {**READ, "POST": ADMINS},
    "settings/accounts/<int:pk>/move/": {"POST": ADMINS},
    "settings/accounts/<int:pk>/switch/": {"POST": ADMINS},
    "settings/accounts/<int:pk>/test/": {"POST": OPERATORS},
    "settings/accounts/<int:pk>/delete/": {"POST": ADMINS},
}
# Public, as their purpose needs.
OPEN = {"login/", "login/code/", "login/passkey/", "login/oidc/", "login/oidc/callback/", "logout/"}
# For programs: they check access themselves, and show strangers only that they exist.
PROGRAMS = {"health/live", "health/ready", "metrics"}
API = "api/"  # whose calls have rules of their own: monitoring/tests/api/test_access.py
RIGHTS = """
SELECT auth_group.name, auth_permission.codename FROM auth_group
JOIN auth_group_permissions ON group_id = auth_group.id JOIN auth_permission ON permission_id = auth_permission.id
"""


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> list[str]:
    listed = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        listed += routes(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else [route]
    return listed


def client_of(role: str, member: Callable[[str], Client]) -> Client:
    if role in ALL_GROUPS:
        return member(role)
    client = Client()
    if role == "stranger":
        client.force_login(User.objects.create_user("stranger"))
    return client


def test_every_address_has_a_rule() -> None:
    there = {route for route in routes(get_resolver().url_patterns) if not route.startswith(API)}
    assert there == RULES.keys() | OPEN | PROGRAMS


@pytest.mark.parametrize("role", ROLES)
def test_each_address_serves_the_roles_of_its_rule(role: str, member: Callable[[str], Client]) -> None:
    client = client_of(role, member)
    places = one_of_everything(role)

    def check(route: str) -> None:
        address = "/" + re.sub("<(.*?)>", lambda match: str(places[match[1]]), route)
        with transaction.atomic():  # changes are rolled back
            statuses = {method: client.generic(method, address).status_code for method in METHODS}
            transaction.set_rollback(True)
        for method, status in statuses.items():
            if method not in RULES[route]:
                assert status == 405, method
            elif role == "anonymous":
                assert status == 302, method
            else:
                assert status in ({200, 302} if role in RULES[route][method] else {403}), method

    each_row(RULES, check)


def one_of_everything(role: str) -> dict[str, Any]:
    """The arguments of addresses: rows that all have one primary key."""
    account, now = default_account(), timezone.now()
    pk = account.pk
    step = make_step(make_task(pk=pk), pk=pk)
    make_run(pk=pk)
    make_schedule(pk=pk)
    make_component("web", pk=pk)
    JournalImport.objects.create(pk=pk, name="a.log", started_at=now)
    Caller.objects.create(pk=pk, address="203.0.113.7", first_seen_at=now, last_seen_at=now)
    Learned.objects.create(pk=pk, site="a:1", kind="route", key="/", size=200, seen_at=now)
    Submission.objects.create(task=step.task, enqueued_at=now)
    WhatIf.objects.create(pk=pk, requested_at=now)
    MaintenanceWindow.objects.create(pk=pk, starts_at=now, ends_at=now + timedelta(hours=1), reason="Database is moved")
    Replay.objects.create(pk=pk, step=step, requested_at=now)
    make_export(pk=pk)
    if visitor := User.objects.filter(username__in=(role, f"one-of-{role}")).first():
        make_passkey(visitor, pk=pk)
        make_app(visitor, pk=pk + 1)
        make_session(visitor, pk=pk)
    return {"int:pk": pk, "int:account": pk, "int:number": make_channel().pk, "str:kind": "settings"}


def test_groups_have_their_permissions_after_the_database_was_emptied(django_db_setup: Path, request: pytest.FixtureRequest) -> None:
    Group.objects.all().delete()
    request.getfixturevalue("groups")
    with closing(sqlite3.connect(django_db_setup)) as migrated:
        rights = set(migrated.execute(RIGHTS).fetchall())
    assert rights == set(Group.objects.values_list("name", "permissions__codename"))


def test_a_visitor_is_led_to_the_login_and_back(client: Client) -> None:
    assert client.get("/tasks/?route=llm")["Location"] == "/login/?next=/tasks/%3Froute%3Dllm"


def test_a_live_part_whose_session_is_over_takes_its_page_to_the_login(client: Client) -> None:
    response = client.get("/", headers={**HTMX, "HX-Current-URL": "http://testserver/"})
    assert response["HX-Redirect"] == "/login/?next=/"
    assert not response.content


def test_logging_in_needs_the_right_password(client: Client) -> None:
    User.objects.create_user("ada", password="right")
    assert b"correct username and password" in client.post("/login/", {"username": "ada", "password": "wrong"}).content
    assert client.post("/login/", {"username": "ada", "password": "right"})["Location"] == "/"


def test_logging_out_is_a_post(viewer: Client) -> None:
    assert viewer.get("/logout/").status_code == 405
    assert viewer.post("/logout/")["Location"] == "/login/"
    assert viewer.get("/").status_code == 302


def test_an_unsupported_method_of_a_page_gets_a_page(viewer: Client) -> None:
    for address, allowed in (("/logout/", "POST, OPTIONS"), ("/tests/1/cancel/", "POST")):
        answer = viewer.get(address)
        assert (answer.status_code, answer["Allow"]) == (405, allowed)
        assert f"takes {allowed}, not GET" in text_of(answer)
        assert tree_of(answer).xpath("//a[@href='/']")
    assert "takes GET, HEAD, not POST" in text_of(viewer.post("/compare/"))


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/metrics"])
def test_a_program_that_uses_a_wrong_method_gets_json(address: str, client: Client) -> None:
    answer = client.post(address)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json() == {"error": "Use GET, HEAD.", "field": "method"}


@pytest.mark.parametrize("address", ["/settings/", "/settings/accounts/1/switch/"])
def test_a_form_sent_after_the_session_ended_is_reported_and_returns_to_the_form(address: str, client: Client) -> None:
    answer = client.post(address, {"enabled": "false"}, headers={"Referer": "http://testserver/settings/?a=b"})
    assert answer["Location"] == "/login/?next=/settings/%3Fa%3Db"
    assert "nothing was done. Log in and send it again." in client.get(answer["Location"]).content.decode()
