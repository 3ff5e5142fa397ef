"""Settings of the miner panel: the only place that reads the environment."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from agents.common.private_files import UMASK
from agents.contract.limits import MAX_BODY
from minerpanel import environment
from minerpanel.environment import database
from minerpanel.schedules import schedules

os.umask(UMASK)  # before any file is written, at every entry point: they all read the settings first
BASE_DIR = Path(__file__).resolve().parent.parent
env = environment.Environment.load(BASE_DIR / ".env", os.environ)

# Where it runs

DEBUG = env.value("DEBUG", environment.BOOLEAN, default=False)
INSECURE_SECRET_KEY = "insecure-key-for-development-only"  # noqa: S105 -- a system check refuses it outside DEBUG
SECRET_KEY = env.secret("SECRET_KEY", INSECURE_SECRET_KEY)
SECRET_KEY_FALLBACKS = list(env.value("SECRET_KEY_FALLBACKS", environment.TEXTS, ()))
ALLOWED_HOSTS = list(env.value("ALLOWED_HOSTS", environment.TEXTS, ("localhost", "127.0.0.1", "[::1]")))
CSRF_TRUSTED_ORIGINS = list(env.value("CSRF_TRUSTED_ORIGINS", environment.URLS, ()))
BIND = env.text("BIND", "127.0.0.1")
PORT = env.value("PORT", environment.whole(1, 65535), 8000)
WEB_THREADS = env.value("WEB_THREADS", environment.whole(1, 1024), 64)
HTTPS = env.value("HTTPS", environment.BOOLEAN, default=False)
TRUSTED_PROXIES = env.value("TRUSTED_PROXIES", environment.NETWORKS, ())
DATA_DIR = env.value("DATA_DIR", environment.PATH, BASE_DIR / "data")
DATABASE_URL = env.secret("DATABASE_URL")
MINER_NAME = env.value("MINER_NAME", environment.NAME, "")
PANEL_ADMIN_PASSWORD = env.secret("PANEL_ADMIN_PASSWORD")
OTEL_EXPORTER_OTLP_ENDPOINT = env.value("OTEL_EXPORTER_OTLP_ENDPOINT", environment.URL, "")
OTEL_EXPORTER_OTLP_HEADERS = env.secret("OTEL_EXPORTER_OTLP_HEADERS")
LOG_LEVEL = env.value("LOG_LEVEL", environment.LOG_LEVEL, "INFO")
SITE_FACTS_DIR = env.value("SITE_FACTS_DIR", environment.PATH, None)
BACKUP_CRON = env.value("BACKUP_CRON", environment.CRON, "")
BACKUP_FOLDER = env.value("BACKUP_FOLDER", environment.PATH, None)
BACKUP_KEEP = env.value("BACKUP_KEEP", environment.whole(1, 1_000), 7)

# The LLM's provider

CHUTES_API_KEY = env.secret("CHUTES_API_KEY")
CHUTES_ADMIN_KEY = env.secret("CHUTES_ADMIN_KEY")
CHUTES_BASE_URL = env.value("CHUTES_BASE_URL", environment.URL, "https://llm.chutes.ai/v1")
CHUTES_MANAGEMENT_URL = env.value("CHUTES_MANAGEMENT_URL", environment.URL, "https://api.chutes.ai")
PRIVATE_PROVIDER_HOSTS = env.value("PRIVATE_PROVIDER_HOSTS", environment.HOSTS, ())
METRICS_TOKEN = env.secret("METRICS_TOKEN")
MCP_PORT = env.value("MCP_PORT", environment.whole(1, 65535), None)
MCP_TOKEN = env.secret("MCP_TOKEN")
CHUTES_MODELS = env.value("CHUTES_MODELS", environment.TEXTS, ())

# Django

ROOT_URLCONF = "minerpanel.urls"
WSGI_APPLICATION = "minerpanel.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database(DATABASE_URL, DATA_DIR / "panel.sqlite3")}
FILE_UPLOAD_HANDLERS = ["monitoring.logs.imports.BoundedUpload"]
FILE_UPLOAD_TEMP_DIR = DATA_DIR  # a journal may be larger than what /tmp can take
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "simple_history",
    "django_q",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "agents",
    "monitoring",
]

MIDDLEWARE = [
    "agents.api.MinerMiddleware",  # answers validators' paths, without host check, session or CSRF
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pages; static files are compressed beforehand
    "csp.middleware.CSPMiddleware",
    "monitoring.web.middleware.PlainSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "monitoring.web.middleware.ZoneMiddleware",
    "monitoring.web.middleware.MethodMiddleware",
    "monitoring.sign_in.sessions.ActivityMiddleware",
]

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "django.template.context_processors.tz",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT_PROCESSORS},
    }
]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
_PLAIN_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
_HASHED_STORAGE = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _PLAIN_STORAGE if DEBUG else _HASHED_STORAGE},
}

# Sign-in and sessions

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_AGE = env.value("SESSION_IDLE_HOURS", environment.whole(1, 8_760), 24) * 3_600  # seconds after the last visit
_DJANGOS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_DJANGOS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_DJANGOS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},  # can't be guessed at a try a minute
    {"NAME": f"{_DJANGOS}.CommonPasswordValidator"},
    {"NAME": "monitoring.users.passwords.CommonCoreValidator"},
    {"NAME": "monitoring.users.passwords.PatternValidator"},
    {"NAME": f"{_DJANGOS}.NumericPasswordValidator"},
]

# Django-allauth: a second factor, sessions and a provider of sign-in. Repeated tries are slowed by `monitoring.sign_in.tries`

ACCOUNT_ADAPTER = "monitoring.sign_in.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # required by allauth's check for ACCOUNT_LOGIN_METHODS; sign-up is closed
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "monitoring.sign_in.adapters.FactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # e-mail addresses are not used
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = False
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Miner panel"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s before and after: clocks of phones differ
SOCIALACCOUNT_ADAPTER = "monitoring.sign_in.oidc.ProviderAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # by a link: our content security policy forbids a form that redirects to another host
OIDC_URL = env.value("OIDC_URL", environment.URL, "")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_NAME = env.text("OIDC_NAME", "OpenID Connect")
OIDC_VIEWERS = env.value("OIDC_VIEWERS", environment.CLAIM, None)
_OIDC_SECRET = env.secret("OIDC_CLIENT_SECRET")
_OIDC: dict[str, Any] = {"provider_id": "oidc", "name": OIDC_NAME, "client_id": OIDC_CLIENT_ID, "secret": _OIDC_SECRET}
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [{**_OIDC, "settings": {"server_url": OIDC_URL}}] if OIDC_URL and OIDC_CLIENT_ID else [],
    }
}

# Security: our server sets the scheme from X-Forwarded-Proto of TRUSTED_PROXIES, so Django needs no proxy header of its own

SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0  # one year
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "minerpanel_session"  # cookies ignore the port: another Django on this host must not overwrite ours
CSRF_COOKIE_NAME = "minerpanel_csrf"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: they are not ours to decide for
    "security.W021",  # HSTS preload: the same
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# Jobs. django-q2 counts `retry` from dequeue, prefetching runs jobs twice and 0 attempts means for ever

Q_CLUSTER = {
    "name": "minerpanel",
    "orm": "default",
    "broker_class": "agents.worker.heartbeat.NamedQueue",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "timeout": 120,  # seconds a job may take
    "retry": 390,  # seconds; beyond timeout * (queue_limit + 1), the longest that a job can lie in the queue and run
    "max_attempts": 1,
    "scheduler": False,
    "ack_failures": True,
    "catch_up": False,
    "poll": 0.2,  # seconds
    "save_limit": 250,
    "log_level": "WARNING",  # INFO has three lines per job
}

SCHEDULES = schedules(BACKUP_CRON)  # instead of django-q2's own

# Logs: everything to standard output, and warnings into rows that the panel shows; secrets are masked once for both

_FILTERS = ["context", "redact"]
_KEYS = (SECRET_KEY, *SECRET_KEY_FALLBACKS, CHUTES_API_KEY, CHUTES_ADMIN_KEY)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "minerpanel.logs.AddContext"},
        "redact": {
            "()": "minerpanel.logs.RedactSecrets",
            "secrets": (*_KEYS, DATABASE_URL, PANEL_ADMIN_PASSWORD, METRICS_TOKEN, MCP_TOKEN, OTEL_EXPORTER_OTLP_HEADERS, _OIDC_SECRET),
        },
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s%(context)s"}},
    "handlers": {
        "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line", "filters": _FILTERS},
        "rows": {"class": "monitoring.logs.log_handler.RowHandler", "filters": _FILTERS},
    },
    "root": {"handlers": ["stdout", "rows"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
        "apprise": {"propagate": False},  # it logs channels' URLs; results of messages are on record
        "waitress": {"level": "WARNING"},
        "opentelemetry": {"level": "CRITICAL"},  # agents/hybrid/spans.py reports a failure once, not at each try
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
