"""Clients of the panel, by group."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from monitoring.users import users


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Clears the cached figures of other tests."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def groups(db: None) -> None:
    """The groups with their permissions; a test before this one may have emptied the whole database."""
    if not Group.objects.exists():
        users.ensure_groups()


@pytest.fixture
def member(groups: None) -> Callable[[str], Client]:
    """A client that is logged in as a member of a group."""

    def log_in(group: str) -> Client:
        user = User.objects.create_user(f"one-of-{group}")
        user.groups.set([Group.objects.get(name=group)])
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def viewer(member: Callable[[str], Client]) -> Client:
    return member("viewers")


@pytest.fixture
def operator(member: Callable[[str], Client]) -> Client:
    return member("operators")


@pytest.fixture
def admin(member: Callable[[str], Client]) -> Client:
    return member("admins")
