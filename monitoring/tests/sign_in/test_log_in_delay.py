"""Wrong passwords delay tries from their address; no user is locked out, and weak passwords are refused."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from agents.models import AuditEntry
from monitoring.models import FailedLogIns
from monitoring.sign_in import tries
from monitoring.sign_in.tries import FREE_TRIES, LONGEST_DELAY, QUIET, admit, delay, forget
from monitoring.tests.reading import text_of

pytestmark = pytest.mark.django_db

RIGHT = "Quiet-Harbor-81-Lantern"
STRANGER, OWNER = "203.0.113.7", "198.51.100.9"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timezone, "now", made)
    return made


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of tries counted at each check of a password."""
    counts: list[int] = []
    real = ModelBackend.authenticate

    def noting(self: ModelBackend, *args: Any, **more: Any) -> Any:
        counts.append(sum(FailedLogIns.objects.values_list("tries", flat=True)))
        return real(self, *args, **more)

    monkeypatch.setattr(ModelBackend, "authenticate", noting)
    return counts


@pytest.fixture(autouse=True)
def ada() -> User:
    return User.objects.create_user("ada", password=RIGHT)


def log_in(password: str = "wrong", *, address: str = STRANGER, name: str = "ada", **headers: Any) -> Any:
    return Client(REMOTE_ADDR=address).post("/login/", {"username": name, "password": password}, **headers)


def slowed(address: str = STRANGER) -> HttpResponse:
    for _ in range(FREE_TRIES):
        assert log_in(address=address).status_code == 200
    answer: HttpResponse = log_in(address=address)
    return answer


def test_after_five_wrong_passwords_the_next_try_waits_with_a_clear_message(clock: Clock) -> None:
    answer = slowed()
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Too many wrong tries from your address. Wait 1 second, then try again." in text_of(answer)


def test_a_refused_try_hashes_no_password_not_even_the_right_one(clock: Clock, checked: list[int]) -> None:
    slowed()
    for name in ("ada", "nobody"):
        assert log_in(RIGHT, name=name).status_code == 429
    assert len(checked) == FREE_TRIES


def test_a_try_is_counted_before_its_password_is_checked_also_for_concurrent_ones(clock: Clock, checked: list[int]) -> None:
    slowed()
    assert checked == [1, 2, 3, 4, 5]


@pytest.mark.long
def test_160_wrong_passwords_at_once_are_five(clock: Clock, checked: list[int], caplog: pytest.LogCaptureFixture) -> None:
    statuses = [log_in(f"wrong {number}").status_code for number in range(160)]
    assert (statuses.count(429), len(checked)) == (155, FREE_TRIES)
    assert AuditEntry.objects.filter(action=AuditEntry.Action.LOGIN_FAILED).count() == FREE_TRIES, "refused tries fill no table"
    assert "Too Many Requests" not in caplog.text, "nor the logs"
    assert [entry.detail.partition(":")[0] for entry in AuditEntry.objects.filter(action=AuditEntry.Action.LOGIN_SLOWED)] == [STRANGER]


def test_the_delay_doubles_up_to_a_minute(clock: Clock) -> None:
    slowed()
    waits = []
    for _ in range(9):
        wait = int(log_in()["Retry-After"])
        waits.append(wait)
        clock.forward(wait)
        assert log_in().status_code == 200
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert delay(10**6) == LONGEST_DELAY


def test_the_owner_is_let_in_at_once_from_another_address(clock: Clock) -> None:
    slowed()
    assert log_in(RIGHT, address=OWNER).status_code == 302
    assert log_in(RIGHT).status_code == 429, "which gives the stranger nothing"


def test_the_owner_behind_the_same_address_waits_a_minute_at_most(clock: Clock) -> None:
    slowed()
    for _ in range(30):
        clock.forward(LONGEST_DELAY)
        log_in()
    clock.forward(LONGEST_DELAY)
    assert log_in(RIGHT).status_code == 302


def test_a_success_and_a_quiet_hour_forget_the_wrong_tries(clock: Clock) -> None:
    slowed()
    clock.forward(1)
    assert log_in(RIGHT).status_code == 302
    assert not FailedLogIns.objects.exists()
    slowed()
    clock.forward(QUIET.total_seconds())
    assert [log_in().status_code for _ in range(FREE_TRIES)] == [200] * FREE_TRIES


def test_each_slow_down_is_on_record_with_its_address(clock: Clock) -> None:
    slowed()
    for wait in (1, 2, 4):
        clock.forward(wait)
        log_in()
    (entry,) = AuditEntry.objects.filter(action=AuditEntry.Action.LOGIN_SLOWED)
    assert entry.detail == f"{STRANGER}: 5 wrong tries. From now on tries from there are delayed, up to 60 s."


def test_the_address_is_that_of_the_client_behind_a_trusted_proxy(clock: Clock, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.1"),)
    for _ in range(FREE_TRIES + 1):
        answer = log_in(address="127.0.0.1", HTTP_X_FORWARDED_FOR=STRANGER)
    assert answer.status_code == 429
    assert log_in(RIGHT, address="127.0.0.1", HTTP_X_FORWARDED_FOR=OWNER).status_code == 302
    settings.TRUSTED_PROXIES = ()
    assert log_in(RIGHT, address=OWNER, HTTP_X_FORWARDED_FOR=STRANGER).status_code == 302, "others may write what they like"


def test_an_ipv6_network_counts_as_one(clock: Clock) -> None:
    log_in(address="2001:db8:1:3::3")
    assert FailedLogIns.objects.get().source == "2001:db8:1:3::/64"
    for number in range(FREE_TRIES):
        log_in(address=f"2001:db8:1:2::{number + 1}")
    assert log_in(address="2001:db8:1:2::99").status_code == 429


def test_few_sources_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "MOST_SOURCES", 20)
    for number in range(60):
        admit(f"192.0.2.{number}", NOW + timedelta(seconds=number))
    assert FailedLogIns.objects.count() == 20
    assert FailedLogIns.objects.filter(source="192.0.2.59").exists()
    admit("198.51.100.1", NOW + QUIET + timedelta(seconds=100))
    assert FailedLogIns.objects.count() == 1


def test_a_clock_that_was_set_back_locks_no_user_out() -> None:
    for _ in range(FREE_TRIES):
        admit(STRANGER, NOW + timedelta(days=30))
    assert admit(STRANGER, NOW).wait <= LONGEST_DELAY
    forget(STRANGER)
    assert admit(STRANGER, NOW).wait == 0


def test_passwords_that_guessers_try_first_are_refused() -> None:
    rows = [
        "aaaaaaaaaaaa",
        "abababababab",
        "abcabcabcabc",
        "123456789012",
        "210987654321",
        "abcdefghijkl",
        "qwertyuiopas",
        "1q1q1q1q1q1q",
        "password1234",
        "Password2024!",
        "p@ssw0rd12345",
        "iloveyou!!!!!",
        "short-1x",
        "passwordpassword",
        "111111222222",
        "administrator",
    ]
    failures = []
    for password in rows:
        try:
            validate_password(password, User(username="admin"))
        except ValidationError:
            continue
        failures.append(password)
    assert failures == []


def test_good_passwords_are_taken() -> None:
    rows = [RIGHT, "violet-harbour-42-lantern", "correct horse battery", "q7fXw-2LmZp_9aBc", "mein Schlüssel im Kasten"]
    failures = []
    for password in rows:
        try:
            validate_password(password, User(username="admin"))
        except ValidationError as error:
            failures.append((password, error.messages))
    assert failures == []


def test_the_page_refuses_a_weak_password_and_names_why(ada: User) -> None:
    client = Client()
    client.force_login(ada)
    new = {"old_password": RIGHT, "new_password1": "aaaaaaaaaaaa", "new_password2": "aaaaaaaaaaaa"}
    assert "repeats a few characters" in text_of(client.post("/account/password/", new))
    ada.refresh_from_db()
    assert ada.check_password(RIGHT)


def test_setup_makes_no_admin_with_a_weak_password(settings: Settings, tmp_path: Any) -> None:
    settings.DATA_DIR, settings.STATIC_ROOT, settings.PANEL_ADMIN_PASSWORD = tmp_path, str(tmp_path / "static"), "aaaaaaaaaaaa"
    with pytest.raises(CommandError, match="PANEL_ADMIN_PASSWORD is too weak"):
        call_command("setup_panel")
    assert not User.objects.filter(username="admin").exists()
