"""The first start and every one after it."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def places(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.STATIC_ROOT = str(tmp_path / "static")


def set_up() -> str:
    output = StringIO()
    call_command("setup_panel", stdout=output, stderr=StringIO())
    return output.getvalue()


def test_the_first_admin_gets_a_random_password_that_is_shown_once(settings: Settings) -> None:
    settings.PANEL_ADMIN_PASSWORD = ""
    shown = set_up()
    password = shown.partition("password: ")[2].split()[0]
    assert User.objects.get(is_superuser=True).check_password(password)
    assert "First admin" not in set_up()


def test_the_first_admin_takes_the_password_of_the_environment_which_is_not_shown(settings: Settings) -> None:
    settings.PANEL_ADMIN_PASSWORD = "correct horse battery"
    assert "correct horse" not in set_up()
    assert User.objects.get(username="admin").check_password("correct horse battery")


def test_the_first_admin_belongs_to_the_admins() -> None:
    Group.objects.get_or_create(name="admins")
    set_up()
    assert User.objects.get(username="admin").groups.filter(name="admins").exists()


def test_a_password_that_was_changed_stays(settings: Settings) -> None:
    settings.PANEL_ADMIN_PASSWORD = "first-of-two-lanterns"
    set_up()
    user = User.objects.get(username="admin")
    user.set_password("second")
    user.save()
    set_up()
    assert User.objects.get(username="admin").check_password("second")


def test_the_data_folder_is_made_for_its_owner_alone(settings: Settings) -> None:
    set_up()
    assert settings.DATA_DIR.stat().st_mode & 0o777 == 0o700
