"""Users: added, assigned to groups, disabled, given passwords; there is always an admin."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from agents.models import AuditEntry
from monitoring.management.commands.setup_panel import make_first_admin
from monitoring.tests.reading import text_of
from monitoring.users.users import role

pytestmark = pytest.mark.django_db


def me() -> User:
    return User.objects.get(username="one-of-admins")


def groups(name: str) -> list[str]:
    return list(User.objects.get(username=name).groups.values_list("name", flat=True))


def password_on(response: object) -> str:
    return text_of(response, "//*[@id='first-password']")  # type: ignore[arg-type]


def test_a_new_user_logs_in_with_the_password_that_is_shown_once(admin: Client) -> None:
    response = admin.post("/settings/users/", {"username": "ada", "group": "operators"})
    password = password_on(response)
    assert groups("ada") == ["operators"]
    assert Client().post("/login/", {"username": "ada", "password": password})["Location"] == "/"
    assert password not in admin.get("/settings/users/").content.decode()
    assert "no-cache" in response["Cache-Control"]
    assert password not in str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.filter(by="one-of-admins", detail="Added ada as operator.").exists()


@pytest.mark.parametrize(("name", "remedy"), [("one-of-ADMINS", "Choose another name"), ("a b", "valid username"), ("", "required")])
def test_a_name_that_can_not_be_is_refused_at_its_field(name: str, remedy: str, admin: Client) -> None:
    response = admin.post("/settings/users/", {"username": name, "group": "viewers"})
    assert remedy in text_of(response, "//*[@id='id_username_error']")
    assert User.objects.count() == 1


def test_a_user_changes_groups(admin: Client) -> None:
    ada = User.objects.create_user("ada")
    admin.post(f"/settings/users/{ada.pk}/group/", {"group": "viewers"})
    admin.post(f"/settings/users/{ada.pk}/group/", {"group": "admins"})
    assert groups("ada") == ["admins"]
    assert AuditEntry.objects.latest("id").detail == "Moved ada from viewer to admin."
    assert "Choose viewers" in text_of(admin.post(f"/settings/users/{ada.pk}/group/", {"group": "gods"}, follow=True))


def test_a_deactivated_user_is_out_at_once_and_comes_back(admin: Client, viewer: Client) -> None:
    pk = User.objects.get(username="one-of-viewers").pk
    assert viewer.get("/").status_code == 200
    admin.post(f"/settings/users/{pk}/switch/", {"active": "false"})
    assert viewer.get("/").status_code == 302
    admin.post(f"/settings/users/{pk}/switch/", {"active": "true"})
    assert User.objects.get(pk=pk).is_active


def test_another_password_logs_the_user_out(admin: Client, viewer: Client) -> None:
    pk = User.objects.get(username="one-of-viewers").pk
    password = password_on(admin.post(f"/settings/users/{pk}/reset/"))
    assert viewer.get("/").status_code == 302
    assert User.objects.get(pk=pk).check_password(password)


@pytest.mark.parametrize(("action", "values"), [("group", {"group": "viewers"}), ("switch", {"active": "false"})])
def test_the_last_admin_cannot_be_removed_not_even_by_themselves(action: str, values: dict[str, str], admin: Client) -> None:
    User.objects.create_user("idle", is_active=False).groups.add(Group.objects.get(name="admins"))
    response = admin.post(f"/settings/users/{me().pk}/{action}/", values, follow=True)
    assert "is the last active admin" in text_of(response)
    assert me().is_active and groups("one-of-admins") == ["admins"]
    other = User.objects.create_superuser("root")
    admin.post(f"/settings/users/{me().pk}/{action}/", values)
    assert role(me()) == "viewers" or not me().is_active
    assert other.is_superuser


def test_a_superuser_that_becomes_a_viewer_is_one(admin: Client) -> None:
    root = User.objects.create_superuser("root")
    admin.post(f"/settings/users/{root.pk}/group/", {"group": "viewers"})
    root = User.objects.get(pk=root.pk)
    assert not root.is_superuser and not root.has_perm("monitoring.change_settings")


def test_a_later_start_creates_no_second_admin(admin: Client) -> None:
    assert not make_first_admin()


def test_a_deleted_user_is_reported(admin: Client) -> None:
    for action in ("group", "switch", "reset"):
        assert "no longer exists" in text_of(admin.post(f"/settings/users/999/{action}/", {"group": "viewers"}, follow=True))


def test_users_change_their_password_and_stay_logged_in() -> None:
    user, client = User.objects.create_user("ada", password="the-old-one-1"), Client()
    client.force_login(user)
    new = {"new_password1": "a-better-one-2", "new_password2": "a-better-one-2"}
    refused = client.post("/account/password/", {"old_password": "wrong", **new})
    assert "entered incorrectly" in text_of(refused, "//*[@id='id_old_password_error']")
    client.post("/account/password/", {"old_password": "the-old-one-1", **new})
    assert User.objects.get(username="ada").check_password("a-better-one-2")
    assert client.get("/account/password/").status_code == 200
    assert re.search("ada changed", AuditEntry.objects.get().detail)
