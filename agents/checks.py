"""System checks: what is wrong or missing in the settings, with a hint each. Errors stop the start."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from agents.known_sites import faults

KEY_FORM = re.compile(r"cpk_[0-9a-f]{32}\.[0-9a-f]{32}\.[A-Za-z0-9]{32}")
SHORTEST_SECRET_KEY = 50


@register
def check_data_folder(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    folder = settings.DATA_DIR
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    hint = f"Run make setup, or make {folder} a folder that this user may write to."
    return [Error("The data folder is missing or can't be written to.", hint=hint, id="agents.E001")]


@register
def check_secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    key = settings.SECRET_KEY
    if settings.DEBUG or (len(key) >= SHORTEST_SECRET_KEY and len(set(key)) > 4 and key != settings.INSECURE_SECRET_KEY):
        return []
    hint = f"Set SECRET_KEY to {SHORTEST_SECRET_KEY} or more random characters; make setup writes such a key to .env."
    return [Error("SECRET_KEY is missing or weak.", hint=hint, id="agents.E002")]


@register
def check_debug_is_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG or is_loopback(settings.BIND):
        return []
    hint = "Set DEBUG=0, or BIND=127.0.0.1: error pages show settings and code to anyone."
    return [Error("DEBUG is on while the panel listens on a public address.", hint=hint, id="agents.E003")]


@register
def check_https_has_a_proxy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS or settings.TRUSTED_PROXIES:
        return []
    hint = "Set TRUSTED_PROXIES to the reverse proxy's address. It tells us who came by https; without it every page redirects to itself."
    return [Error("HTTPS is on but no proxy is trusted.", hint=hint, id="agents.E004")]


@register
def check_allowed_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "List the names by which the panel is visited. Validators may use any name: their addresses skip this check."
    return [checks.Warning("ALLOWED_HOSTS lets any name in.", hint=hint, id="agents.W004")]


@register
def check_chutes_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    key = settings.CHUTES_API_KEY
    if not key:
        hint = "Set it in .env, or give the account a key on the Settings page. Until then the template agent answers every step."
        return [checks.Warning("CHUTES_API_KEY is not set.", hint=hint, id="agents.W001")]
    if is_loopback(urlsplit(settings.CHUTES_BASE_URL).hostname or "") or KEY_FORM.fullmatch(key):
        return []
    hint = "A Chutes key is cpk_ and three parts of 32 characters with dots between them. Copy it again."
    return [checks.Warning("CHUTES_API_KEY does not look like a Chutes key.", hint=hint, id="agents.W002")]


@register
def check_chutes_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    base, management = urlsplit(settings.CHUTES_BASE_URL), urlsplit(settings.CHUTES_MANAGEMENT_URL)
    if base.netloc == management.netloc and not is_loopback(base.hostname or ""):
        hint = "The models answer at https://llm.chutes.ai/v1, accounts are managed at https://api.chutes.ai."
        return [Error("CHUTES_BASE_URL is the management host, which serves no models.", hint=hint, id="agents.E005")]
    if not base.path.endswith("/v1"):
        return [checks.Warning("CHUTES_BASE_URL does not end in /v1.", hint="Chutes' is https://llm.chutes.ai/v1.", id="agents.W003")]
    return []


@register
def check_site_facts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    told = "The facts on sites hold an entry that can't be used: {0.file}, {0.entry}."
    return [Error(told.format(fault), hint=fault.remedy, id="agents.E006") for fault in faults()]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
