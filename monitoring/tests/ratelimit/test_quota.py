"""Remaining quota on a page: limits with source and forecast, the balance, warnings, and the remedy if it is unknown."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from lxml import html

from agents.accounts.quota_readings import UNDER_WAY
from agents.configuration import default_account
from agents.configuration.keys import seal
from agents.models import Account, Gate, QuotaReading
from agents.policy.quota_forecast import Sample
from monitoring.ratelimit.quota import AccountQuota, quota
from monitoring.tests.reading import element_text, text_of
from monitoring.tests.records import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def with_key(settings: Any) -> None:
    settings.CHUTES_ADMIN_KEY = "cpk_made.up.admin"


def read(at: datetime = NOW, account: Account | None = None, **fields: Any) -> QuotaReading:
    return QuotaReading.objects.create(account=account or default_account(), read_at=at, **fields)


def read_for_hours(hours: int, *, balance: float | None = None, an_hour: float = 0.0, **fields: Any) -> None:
    """A reading every five minutes up to NOW; the balance falls at one pace to `balance`."""
    for number in range(hours * 12 + 1):
        ago = hours - number / 12
        left = None if balance is None else balance + an_hour * ago
        read(NOW - timedelta(hours=ago), **{"balance": left, **fields})


def shown(now: datetime = NOW) -> str:
    """The text of the fragment."""
    return element_text(html.fragment_fromstring(render_to_string("ratelimit/_quota.html", {"quota": quota(now), "now": now})))


def only(now: datetime = NOW) -> AccountQuota:
    (account,) = quota(now)
    return account


def test_limits_show_use_reset_and_source(with_key: None) -> None:
    read(daily_total=300, daily_used=181, is_subscribed=True, four_hour_cap=2, four_hour_used=0.5, monthly_cap=20, monthly_used=3)
    text = shown()
    assert "Subscription" in text
    assert "Daily quota 181 of 300 requests used" in text
    assert "4-hour cap 0.50 of 2.00 USD used" in text
    assert "Resets 4 May 16:00:00 UTC" in text, "the calendar's, if the reading has none"
    assert "Resets 5 May 00:00:00 UTC" in text
    assert "Resets unknown" in text, "the month's"
    assert "Last read at 4 May 12:00:00 UTC with the admin key" in text


def test_a_forecast_stands_with_its_limit(with_key: None) -> None:
    read_for_hours(4, daily_total=300, daily_used=200)
    assert "At this pace the daily quota is used up at 18:00 UTC" not in shown(), "nothing was used for hours"
    QuotaReading.objects.all().delete()
    read(daily_total=300, daily_used=200)
    assert "At this pace the daily quota is used up at 18:00 UTC, 6 h before it resets at 00:00 UTC." in shown()


def test_the_balance_shows_its_course_and_how_long_it_lasts(with_key: None) -> None:
    read_for_hours(24, balance=2.4, an_hour=0.1)
    account = only()
    points = [tuple(map(float, point.split(","))) for point in account.line.split()]
    assert len(points) <= 101
    assert (points[0], points[-1]) == ((0, 1), (100, 19))
    assert (round(account.course[0].value, 1), account.course[-1].value) == (4.8, 2.4)
    assert "The balance is falling: 2.40 USD left, about 1 d at this pace. Top up the account." in account.warnings
    assert "Balance 2.40 USD" in shown()


def test_silent_billing_is_warned_of_here_and_on_the_overview(with_key: None, viewer: Client) -> None:
    # Milliseconds apart: readings of another day belong to another quota.
    now = timezone.now().replace(microsecond=900)
    for age, balance in ((2, 5.0), (1, 4.5), (0, 4.0)):
        read(now - timedelta(milliseconds=age), daily_total=300, daily_used=300, balance=balance)
    (warning,) = only(now).warnings
    assert warning.startswith("The daily quota is used up and the balance is being billed: 1.00 USD since ")
    assert warning in text_of(viewer.get("/"), "//*[@id='quota-warnings']")


def test_without_a_warning_the_overview_shows_none(with_key: None, viewer: Client) -> None:
    read(timezone.now(), daily_total=300, daily_used=3, balance=5)
    assert "being billed" not in text_of(viewer.get("/"))
    assert "Quota and balance" not in text_of(viewer.get("/"))


def test_warnings_of_several_accounts_have_their_names(with_key: None, viewer: Client) -> None:
    now = timezone.now()
    second = Account.objects.create(name="second", position=2)
    Account.objects.create(name="off", enabled=False)
    read(now, daily_total=300, daily_used=290)
    read(now, second, daily_total=300, daily_used=3)
    assert [row.account.name for row in quota(now)] == ["default", "second"]
    assert "default: 97 % of the daily quota is used." in text_of(viewer.get("/"))


def test_without_an_admin_key_the_last_answers_quota_is_shown_with_how_to_get_a_key() -> None:
    answered = {"total": 300, "used": 240, "remaining": 60, "at": (NOW - timedelta(minutes=3)).timestamp()}
    Gate.objects.create(account=default_account(), quota=answered)
    text = shown()
    assert "Daily quota 240 of 300 requests used" in text
    assert "From the last answer, at 4 May 11:57:00 UTC" in text
    assert "is used up at 14:" in text
    assert "this account has no admin key" in text
    assert "chutes keys create --name panel --admin" in text
    assert "CHUTES_ADMIN_KEY" in text


def test_another_account_takes_no_admin_key_from_the_environment() -> None:
    Account.objects.create(name="second")
    assert "and enter it in the settings" in shown()
    assert "CHUTES_ADMIN_KEY" not in shown()


def test_for_a_key_without_admin_rights_the_page_shows_how_to_get_one(with_key: None) -> None:
    read(fault="This key cannot read quotas: it needs an admin key.")
    assert "it needs an admin key. Make a key with admin rights by chutes keys create --name panel --admin" in shown()


def test_yesterdays_answer_is_not_used_for_todays_quota() -> None:
    Gate.objects.create(account=default_account(), quota={"total": 300, "used": 240, "remaining": 60, "at": NOW.timestamp() - 86_400})
    assert only().meters == []
    assert "The remaining quota is unknown." in shown()


def test_a_reading_takes_precedence_over_an_answer(with_key: None) -> None:
    Gate.objects.create(account=default_account(), quota={"total": 300, "used": 240, "remaining": 60, "at": NOW.timestamp()})
    read(NOW - timedelta(minutes=5), daily_total=300, daily_used=181)
    assert [(meter.newest.value, meter.source) for meter in only().meters] == [(181, "read with the admin key")]
    assert [meter.newest.value for meter in only(NOW + timedelta(hours=1)).meters] == [240], "an old reading counts less"


@pytest.mark.parametrize(
    ("reading", "header", "plan"),
    [
        ({"is_subscribed": True, "daily_total": 300}, {}, "Subscription"),
        ({"is_subscribed": False, "is_unlimited": True}, {}, "No daily quota"),
        ({"daily_total": 300}, {}, "Daily quota"),
        ({"daily_total": 0}, {}, "Pay as you go"),
        ({}, {"total": 0, "used": 0, "remaining": 0, "at": NOW.timestamp()}, "Pay as you go"),
        ({}, {}, ""),
    ],
)
def test_a_known_plan_of_the_account_is_shown(reading: dict[str, Any], header: dict[str, float], plan: str) -> None:
    read(**reading)
    Gate.objects.create(account=default_account(), quota=header)
    assert only().plan == plan


def test_a_fault_is_shown_and_the_last_reading_stays_with_its_time(with_key: None) -> None:
    read(NOW - timedelta(minutes=10), balance=5, daily_total=300, daily_used=7)
    read(NOW - timedelta(minutes=5), daily_total=300, daily_used=8, fault="Balance unknown: the answer is no JSON.")
    account = only()
    assert account.balances[-1] == Sample((NOW - timedelta(minutes=10)).timestamp(), 5)
    assert account.fault == "Balance unknown: the answer is no JSON."
    assert account.meters[0].newest.value == 8
    assert "Read with the admin key, at 4 May 11:50:00 UTC" in shown()


def test_an_active_reading_hides_no_values(with_key: None) -> None:
    read(NOW - timedelta(minutes=5), balance=5)
    read(NOW, fault=UNDER_WAY)
    assert (only().balances[-1].value, only().fault) == (5, "")


def test_before_the_first_reading_the_page_shows_when_it_is_due(with_key: None) -> None:
    assert "Nothing has been read yet. The worker reads every five minutes." in shown()


def test_a_key_that_cannot_be_decrypted_is_shown_with_the_remedy(settings: Any) -> None:
    account = default_account()
    Account.objects.filter(pk=account.pk).update(admin_key_sealed=seal("cpk_x"))
    settings.SECRET_KEY = "another-secret-key"
    assert "SECRET_KEY_FALLBACKS" in only().fault


def test_the_fragment_runs_as_many_queries_for_many_readings_as_for_one(
    with_key: None, django_assert_num_queries: Callable[..., Any]
) -> None:
    read()
    Account.objects.create(name="second")
    with django_assert_num_queries(3):
        quota(NOW)
    read_for_hours(2, balance=5)
    with django_assert_num_queries(3):
        quota(NOW)


def test_without_an_enabled_account_the_page_shows_that() -> None:
    Account.objects.create(name="off", enabled=False)
    assert "No account is enabled" in shown()


def test_no_style_attribute_or_script_would_meet_the_policy(with_key: None) -> None:
    read_for_hours(2, balance=5, daily_total=300, daily_used=7)
    tree = html.fragment_fromstring(render_to_string("ratelimit/_quota.html", {"quota": quota(NOW), "now": NOW}))
    assert tree.xpath("//@style | //script | //*[starts-with(name(@*), 'on')]") == []
