"""The first steps on the Overview: each is ticked when done, and the list disappears when all are."""

import time

import pytest
from django.test import Client
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import change, default_account
from agents.configuration.account_changes import change_account
from agents.models import Gate
from monitoring.first_steps.points import checklist
from monitoring.first_steps.points import done as facts
from monitoring.models import Channel, TestSchedule
from monitoring.tests.reading import tree_of
from monitoring.tests.records import make_open_step, make_step

pytestmark = pytest.mark.django_db

KEY, WORKS, STEP, CAPS, ALLOWED, CHANNEL, PACING, TESTS = ("key", "test", "step", "caps", "allowed", "notified", "paced", "tested")


@pytest.fixture(autouse=True)
def fresh(settings: DjangoSettings) -> None:
    """The state after installation, without a key in the environment."""
    settings.CHUTES_API_KEY = ""
    TestSchedule.objects.all().delete()


def done() -> list[str]:
    """The steps that are done, except the caps, which have a default."""
    return [name for name, is_done in facts().items() if is_done and name != CAPS]


def is_shown(client: Client) -> bool:
    return bool(tree_of(client.get("/")).xpath("//*[@id='checklist']"))


def do_all() -> None:
    account = default_account()
    change_account(account, {}, key="cpk_made.up.key", by=None, reason="")
    Gate.objects.create(account=account, succeeded_at=time.time())
    make_step()
    change({"allowed_callers": ["203.0.113.7"], "pacing": "auto"}, by=None, reason="")
    Channel.objects.create(name="mail", url_sealed="sealed", scheme="mailto")
    TestSchedule.objects.create(name="nightly", suites=["key"], cron="0 3 * * *")


def test_all_points_are_open_at_first() -> None:
    assert len(checklist()) == 8
    assert done() == []


def test_a_key_from_the_environment_counts(settings: DjangoSettings) -> None:
    settings.CHUTES_API_KEY = "cpk_made.up.key"
    assert done() == [KEY]


def test_a_key_of_a_disabled_account_does_not_count() -> None:
    change_account(default_account(), {"enabled": False}, key="cpk_made.up.key", by=None, reason="")
    assert done() == []


def test_a_key_that_can_no_longer_be_opened_does_not_count(settings: DjangoSettings) -> None:
    change_account(default_account(), {}, key="cpk_made.up.key", by=None, reason="")
    settings.SECRET_KEY = "another-secret-" + "0123456789abcdef" * 3
    assert done() == []


def test_the_key_works_once_a_request_has_succeeded() -> None:
    gate = Gate.objects.create(account=default_account(), succeeded_at=0)
    assert done() == []
    gate.succeeded_at = time.time()
    gate.save()
    assert done() == [WORKS]


def test_a_step_counts_when_it_is_answered() -> None:
    make_open_step()
    assert done() == []
    make_step()
    assert done() == [STEP]


def test_the_caps_count_while_both_are_set() -> None:
    assert facts()[CAPS]
    change({"daily_usd": 0}, by=None, reason="")
    assert not facts()[CAPS]


@pytest.mark.parametrize("chosen", [{"pacing": "auto"}, {"spacing_seconds": 2.0}])
def test_the_pacing_is_chosen_by_its_kind_or_by_the_spacing(chosen: dict[str, object]) -> None:
    change({"daily_usd": 1}, by=None, reason="")
    assert done() == []
    change(chosen, by=None, reason="")
    assert done() == [PACING]


def test_an_allowed_caller_counts() -> None:
    change({"allowed_callers": ["203.0.113.7"]}, by=None, reason="")
    assert done() == [ALLOWED]


def test_channels_and_schedules_count_while_they_are_enabled() -> None:
    Channel.objects.create(name="mail", url_sealed="sealed", scheme="mailto")
    TestSchedule.objects.create(name="nightly", suites=["key"], cron="0 3 * * *")
    assert done() == [CHANNEL, TESTS]
    Channel.objects.update(enabled=False)
    TestSchedule.objects.update(enabled=False)
    assert done() == []


def test_the_list_is_gone_when_all_is_done(admin: Client) -> None:
    assert is_shown(admin)
    do_all()
    assert checklist() == []
    assert not is_shown(admin)


def test_the_list_is_shown_to_permitted_users(operator: Client) -> None:
    assert not is_shown(operator)
