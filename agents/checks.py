"""System checks of the settings, with a hint each. Errors stop the start."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from agents import VERSION
from agents.common.private_files import is_loose, looser
from agents.contract.allowed_hosts import is_refused_host, literal
from agents.database import PAGE_PATIENCE, UNAVAILABLE, ends_after

KEY_FORM = re.compile(r"cpk_[0-9a-f]{32}\.[0-9a-f]{32}\.[A-Za-z0-9]{32}")
SHORTEST_SECRET_KEY = 50
OUR_APPS = {"agents", "monitoring"}
MOST_NAMED = 5  # files or migrations: enough to find the others by


@register
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [*_files(), *_panel(), *_sign_in(), *_traces(), *_chutes()]


def _files() -> Iterator[CheckMessage]:
    # Imported here, since it loads the whole template agent.
    from agents.configuration.known_sites import faults  # noqa: PLC0415

    folder, dotenv = settings.DATA_DIR, settings.BASE_DIR / ".env"
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        hint = f"Run make setup, or make {folder} a folder that this user may write to."
        yield Error("The data folder is missing or can't be written to.", hint=hint, id="agents.E001")
    if loose := [str(path) for path in islice(chain(looser(folder), filter(is_loose, [dotenv])), MOST_NAMED + 1)]:
        named = f"{', '.join(loose[:MOST_NAMED])}{' and more' if len(loose) > MOST_NAMED else ''}"
        hint = f"Run: chmod -R go= {folder} {dotenv}. They hold sessions, password hashes and keys."
        yield checks.Warning(f"Other users of this machine may read or write: {named}.", hint=hint, id="agents.W005")
    for fault in faults():
        message = f"The facts on sites hold an entry that can't be used: {fault.file}, {fault.entry}."
        yield Error(message, hint=fault.remedy, id="agents.E006")


def _panel() -> Iterator[CheckMessage]:
    key = settings.SECRET_KEY
    is_weak = len(key) < SHORTEST_SECRET_KEY or len(set(key)) <= 4 or key == settings.INSECURE_SECRET_KEY
    if is_weak and not settings.DEBUG:
        hint = f"Set SECRET_KEY to {SHORTEST_SECRET_KEY} or more random characters; make setup writes such a key to .env."
        yield Error("SECRET_KEY is missing or weak.", hint=hint, id="agents.E002")
    if settings.DEBUG and not _is_loopback(settings.BIND):
        hint = "Set DEBUG=0, or BIND=127.0.0.1: error pages show settings and code to anyone."
        yield Error("DEBUG is on while the panel listens on a public address.", hint=hint, id="agents.E003")
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        hint = "Set TRUSTED_PROXIES to the reverse proxy's address. It reports who uses https; without it pages redirect to themselves."
        yield Error("HTTPS is on but no proxy is trusted.", hint=hint, id="agents.E004")
    if "*" in settings.ALLOWED_HOSTS:
        hint = "List the panel's host names. Validators may use any name: their paths skip this check."
        yield checks.Warning("ALLOWED_HOSTS allows any name.", hint=hint, id="agents.W004")
    try:
        if settings.PANEL_ADMIN_PASSWORD:
            validate_password(settings.PANEL_ADMIN_PASSWORD)
    except ValidationError as error:
        hint = "Choose another one, or leave it empty: setup then makes a random one. A password that is in use is changed in the panel."
        yield checks.Warning(f"PANEL_ADMIN_PASSWORD is too weak: {' '.join(error.messages)}", hint=hint, id="agents.W006")


def _traces() -> Iterator[CheckMessage]:
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT and not find_spec("opentelemetry"):
        hint = "Run: bin/install requirements-otel.txt. Until then no traces are sent."
        yield checks.Warning("Traces are to be sent, and their packages are not installed.", hint=hint, id="agents.W007")


def _sign_in() -> Iterator[CheckMessage]:
    url = urlsplit(settings.OIDC_URL)
    if bool(settings.OIDC_URL) != bool(settings.OIDC_CLIENT_ID):
        hint = "Set both OIDC_URL and OIDC_CLIENT_ID for sign-in by OpenID Connect, or neither."
        yield Error("One of OIDC_URL and OIDC_CLIENT_ID is missing.", hint=hint, id="agents.E009")
    elif url.scheme == "http" and not _is_loopback(url.hostname or ""):
        hint = "Give the provider's https URL: whoever can change its answers could log in as any user."
        yield Error("OIDC_URL has no https.", hint=hint, id="agents.E009")


def _chutes() -> Iterator[CheckMessage]:
    base, management = urlsplit(settings.CHUTES_BASE_URL), urlsplit(settings.CHUTES_MANAGEMENT_URL)
    is_ours = _is_loopback(base.hostname or "")
    for name, host in (("CHUTES_BASE_URL", base.hostname or ""), ("CHUTES_MANAGEMENT_URL", management.hostname or "")):
        if is_refused_host(host):
            hint = "Link-local and metadata addresses get no key. Give the provider's own address."
            yield Error(f"{name} is a link-local or metadata address.", hint=hint, id="agents.E007")
    if base.netloc == management.netloc and not is_ours:
        hint = "The models answer at https://llm.chutes.ai/v1, accounts are managed at https://api.chutes.ai."
        yield Error("CHUTES_BASE_URL is the management host, which serves no models.", hint=hint, id="agents.E005")
    elif not base.path.endswith("/v1"):
        yield checks.Warning("CHUTES_BASE_URL does not end in /v1.", hint="Chutes' is https://llm.chutes.ai/v1.", id="agents.W003")
    if not settings.CHUTES_API_KEY:
        hint = "Set it in .env, or give the account a key on the Settings page. Until then the template agent answers every step."
        yield checks.Warning("CHUTES_API_KEY is not set.", hint=hint, id="agents.W001")
    elif not is_ours and not KEY_FORM.fullmatch(settings.CHUTES_API_KEY):
        hint = "A Chutes key is cpk_ and three parts of 32 characters with dots between them. Copy it again."
        yield checks.Warning("CHUTES_API_KEY does not look like a Chutes key.", hint=hint, id="agents.W002")


def _is_loopback(host: str) -> bool:
    address = literal(host)
    return address.is_loopback if address else host == "localhost"


@register(Tags.database)
def check_database_version(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Run by commands that name a database. A database that does not answer passes: web and worker start without it."""
    try:
        with ends_after(PAGE_PATIENCE):
            unknown = unknown_migrations(MigrationRecorder(connection).applied_migrations()) if databases else []
    except UNAVAILABLE:
        return []
    if not unknown:
        return []
    hint = "Set DATA_DIR or DATABASE_URL to a new database, or check out the version that made this one. 0.2.0 reads none of 0.1.0."
    message = f"The database was made by another version: {VERSION} has no migration {', '.join(unknown[:MOST_NAMED])}."
    return [Error(message, hint=hint, id="agents.E008")]


def unknown_migrations(applied: Iterable[tuple[str, str]]) -> list[str]:
    """The applied migrations, as app.name, of our apps that are not in this checkout; the last of each app first."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return sorted((f"{app}.{name}" for app, name in applied if app in OUR_APPS and (app, name) not in known), reverse=True)
