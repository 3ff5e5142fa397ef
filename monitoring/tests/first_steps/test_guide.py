"""The guide through the first steps: the state of each, and the forms that complete it in place."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import change, default_account
from agents.configuration.account_changes import change_account
from agents.configuration.keys import key_of
from agents.models import Account, Heartbeat, Settings, Submission
from agents.worker import heartbeat
from monitoring.first_steps.points import POINTS, State, Status, statuses
from monitoring.models import Channel, Delivery, TestRun, TestSchedule
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import make_channel, make_delivery, make_notice, make_step
from monitoring.tests.status_records import make_result

pytestmark = pytest.mark.django_db

KEY = "cpk_made.up.key"


@pytest.fixture(autouse=True)
def fresh(settings: DjangoSettings) -> None:
    """The state after installation, without a key in the environment, while a worker runs."""
    settings.CHUTES_API_KEY = ""
    TestSchedule.objects.all().delete()
    heartbeat.beat()


def status(name: str) -> Status:
    return statuses(timezone.now())[name]


def send(client: Client, point: str, **values: str) -> object:
    return client.post("/first-steps/", {"point": point, **values}, follow=True)


def test_every_point_is_shown_with_its_state_and_a_link(admin: Client) -> None:
    page = tree_of(admin.get("/first-steps/"))
    shown = [" ".join(heading.text_content().split()) for heading in page.xpath("//li//h2")]
    assert shown == [f"{number}. {point.title} {'Done' if point.name == 'caps' else 'To do'}" for number, point in enumerate(POINTS, 1)]
    assert all(page.xpath(f"//li[@id='{point.name}']//a[contains(@class, 'guide-link')]/@href") for point in POINTS)
    assert "7 of 8 steps left" in text_of(admin.get("/first-steps/"))


def test_a_key_is_entered_and_never_shown_again(admin: Client) -> None:
    answer = send(admin, "key", key=KEY)
    assert key_of(Account.objects.get()) == KEY and KEY not in answer.content.decode()  # type: ignore[attr-defined]
    assert status("key") == Status(State.DONE, "In use by account default: •••• .key, entered here.")
    assert "required" in text_of(admin.post("/first-steps/", {"point": "key", "key": ""}), "//*[@id='id_key_error']")


def test_a_key_that_can_no_longer_be_opened_has_failed_with_the_remedy(settings: DjangoSettings) -> None:
    change_account(default_account(), {}, key=KEY, by=None, reason="")
    settings.SECRET_KEY = "another-secret-" + "0123456789abcdef" * 3
    assert status("key").state is State.FAILED and "SECRET_KEY_FALLBACKS" in status("key").text


def test_the_key_is_tested_and_the_reason_of_a_failure_shown_until_the_key_changes(admin: Client) -> None:
    send(admin, "key", key=KEY)
    send(admin, "test")
    run = TestRun.objects.get()
    assert (run.suites, run.options) == (["key"], {"account": "default"})
    assert status("test") == Status(State.RUNNING, "", f"/tests/{run.pk}/")
    assert "A test is running already" in text_of(send(admin, "test"))  # type: ignore[arg-type]
    TestRun.objects.update(state="succeeded", verdict="fail")
    make_result(run, "fail", meaning="The key was refused.", next_step="Enter another key.")
    assert status("test") == Status(State.FAILED, "The key was refused. Enter another key.", f"/tests/{run.pk}/")
    send(admin, "key", key="cpk_another.made.up")
    assert status("test").state is State.OPEN


def test_a_sample_is_answered_by_the_worker(admin: Client) -> None:
    send(admin, "step")
    job = Submission.objects.get()
    assert status("step") == Status(State.RUNNING, "", f"/tasks/{job.task_id}/")
    Submission.objects.update(state="failed", fault="The disk is full.")
    assert status("step") == Status(State.FAILED, "The disk is full.", f"/tasks/{job.task_id}/")
    make_step()
    assert status("step").state is State.DONE


def test_without_a_worker_that_is_the_reason(admin: Client) -> None:
    Heartbeat.objects.all().delete()
    send(admin, "step")
    assert status("step").text == "No worker has started yet: background jobs wait. Start it with make run."


def test_caps_and_addresses_are_saved_with_their_history(admin: Client) -> None:
    send(admin, "caps", daily_attempts="300", daily_usd="0", reason="First steps")
    assert (Settings.current().daily_attempts, status("caps").state) == (300, State.OPEN)
    send(admin, "caps", daily_attempts="300", daily_usd="2", reason="First steps")
    assert status("caps") == Status(State.DONE, "300 attempts and 2 USD a day.")
    send(admin, "allowed", allowed_callers="203.0.113.7, 10.0.0.0/8", reason="First steps")
    assert Settings.current().allowed_callers == ["203.0.113.7", "10.0.0.0/8"] and status("allowed").state is State.DONE
    assert Settings.history.latest().history_change_reason == "First steps"
    refused = admin.post("/first-steps/", {"point": "allowed", "allowed_callers": "everybody"})
    assert "“everybody” is not a network" in text_of(refused, "//*[@id='id_allowed_callers_error']")


def test_a_channel_that_takes_no_messages_has_failed_with_the_reason() -> None:
    delivery = make_delivery(make_notice(), make_channel())
    assert status("notified").state is State.DONE
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", fault="The server answered 404.")
    assert status("notified").text == "The last message was not delivered: The server answered 404."
    Channel.objects.update(enabled=False)
    assert status("notified").state is State.OPEN


def test_the_guide_stays_when_all_is_done_and_is_reached_from_the_settings(admin: Client, viewer: Client) -> None:
    change({"allowed_callers": ["203.0.113.7"], "pacing": "auto"}, by=None, reason="")
    assert tree_of(admin.get("/settings/")).xpath("//nav[@aria-label='Sections']/a[@href='/first-steps/']")
    assert not tree_of(viewer.get("/settings/")).xpath("//a[@href='/first-steps/']")
    assert tree_of(admin.get("/")).xpath("//*[@id='checklist']//a[text()='Open the guide']")


def test_an_unknown_point_changes_nothing(admin: Client) -> None:
    assert admin.post("/first-steps/", {"point": "another"}).status_code == 200
