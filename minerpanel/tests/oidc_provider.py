"""A provider of OpenID Connect on loopback, for tests: allauth's own, in a process of its own.

Usage: python -m minerpanel.tests.oidc_provider PORT FOLDER PANEL_URL
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLIENT, CLIENT_SECRET, PASSWORD = "panel", "the-panels-own-secret", "a-password-at-the-provider"
# User name, e-mail address, family name.
USERS = [("ada-at-work", "ada@example.com", "Lovelace"), ("vera", "vera@example.com", "Miner"), ("admin", "mallory@example.com", "Smith")]


@contextmanager
def provider(port: int, folder: Path, panel_url: str) -> Iterator[str]:
    """Its URL, where it answers soon."""
    command = [sys.executable, "-m", "minerpanel.tests.oidc_provider", str(port), str(folder), panel_url]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def main(port: str, folder: str, panel_url: str) -> None:
    import django  # noqa: PLC0415 -- only in the provider's own process
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    apps = ["auth", "contenttypes", "sessions", "messages"]
    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ]
    settings.configure(
        SECRET_KEY="of-the-provider",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="minerpanel.tests.oidc_provider_urls",
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in apps), "allauth", "allauth.account", "allauth.idp.oidc"],
        MIDDLEWARE=middleware,
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/provider.sqlite3"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        STATIC_URL="static/",
        ACCOUNT_EMAIL_VERIFICATION="none",
        IDP_OIDC_PRIVATE_KEY=key.decode(),
        USE_TZ=True,
    )  # fmt: skip
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    fill(f"{panel_url}/login/oidc/callback/")
    call_command("runserver", f"127.0.0.1:{port}", "--noreload", "--skip-checks", verbosity=0)


def fill(callback: str) -> None:
    from allauth.account.models import EmailAddress  # noqa: PLC0415 -- models need the settings
    from allauth.idp.oidc.models import Client  # noqa: PLC0415
    from django.contrib.auth.models import User  # noqa: PLC0415

    client = Client(id=CLIENT, name="Panel", redirect_uris=callback, scopes="openid\nprofile\nemail", skip_consent=True)
    client.set_secret(CLIENT_SECRET)
    client.save()
    for name, email, family in USERS:
        user = User.objects.create_user(name, password=PASSWORD, last_name=family)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
