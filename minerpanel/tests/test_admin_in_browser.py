"""Admins' changes to the panel, in a real browser."""

import tarfile

from playwright.sync_api import expect

from minerpanel.tests.processes import Miner
from minerpanel.tests.visitors import PASSWORD, Visitor

TRIED = """
from datetime import timedelta
from django.utils import timezone
from monitoring.tests.what_if.test_offer import tried
tried(requested_at=timezone.now() - timedelta(hours=1, minutes=28, seconds=30))
"""


def test_an_admin_manages_pacing_accounts_schedules_channels_users_and_plans(miner: tuple[Miner, str], visitor: Visitor) -> None:
    miner[0].manage("shell", "--command", TRIED)
    visitor.log_in("admin")
    pacing(visitor)
    accounts(visitor)
    schedules(visitor)
    channels(visitor)
    users(visitor)
    deployment(visitor)
    plans(visitor)
    audit_and_password(visitor)
    assert visitor.faults == []


def pacing(visitor: Visitor) -> None:
    """Switched to automatic from the Overview, which offers it with its figures, and back from Rate limit."""
    page = visitor.page
    main, done, offer = page.get_by_role("main"), page.get_by_role("status"), page.get_by_role("region", name="Pacing")
    expect(offer).to_contain_text("34 % more of the last 24 h's steps would have been answered by the LLM")
    expect(offer).to_contain_text("Simulated 1 h 28 min ago.")
    offer.get_by_role("button", name="Switch to automatic pacing").click()
    expect(done.filter(has_text="Pacing is automatic. This takes effect with the next step.")).to_be_visible()
    expect(offer).to_have_count(0)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Rate limit").click()
    expect(main).to_contain_text("Until then the spacing applies: one every 5 s.")
    offer.get_by_role("button", name="Switch to fixed pacing").click()
    expect(done.filter(has_text="Pacing is fixed. This takes effect with the next step.")).to_be_visible()
    expect(main).to_contain_text("The pace is fixed: one every 5 s.")


def accounts(visitor: Visitor) -> None:
    """Added, put first, disabled, given a key, deleted."""
    page = visitor.page
    main = page.get_by_role("main")
    done = page.get_by_role("status")
    page.goto(f"{visitor.url}/settings/accounts/new/")
    page.get_by_label("Name").fill("spare")
    page.get_by_role("button", name="Add account").click()
    page.get_by_role("button", name="Move spare up").click()
    expect(main.get_by_role("row").nth(1)).to_contain_text("1 spare")
    page.get_by_role("button", name="Disable spare").click()
    expect(main.get_by_role("row").nth(1)).to_contain_text("Disabled")
    page.get_by_role("link", name="Rotate key of spare").click()
    page.get_by_label("API key", exact=True).fill("cpk_made.up.WXYZ")
    page.get_by_role("button", name="Save").click()
    expect(done.filter(has_text="new key")).to_be_visible()
    expect(main).to_contain_text("In use: •••• WXYZ, entered here")
    page.get_by_role("button", name="Delete spare").click()
    expect(page.get_by_role("link", name="spare")).to_have_count(0)


def schedules(visitor: Visitor) -> None:
    """Added, switched off, deleted."""
    page = visitor.page
    page.goto(f"{visitor.url}/tests/schedules/new/")
    page.get_by_label("Name").fill("Each quarter")
    page.get_by_label("Direct key test").check()
    page.get_by_label("Cron").fill("*/15 * * * *")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Switch off Each quarter").click()
    expect(page.get_by_role("row").filter(has_text="Each quarter")).to_contain_text("Off")
    page.get_by_role("link", name="Change Each quarter").click()
    page.get_by_role("button", name="Delete Each quarter").click()
    expect(page.get_by_role("row").filter(has_text="Each quarter")).to_have_count(0)


def channels(visitor: Visitor) -> None:
    """Added, tested, disabled, filtered in the deliveries, deleted."""
    page = visitor.page
    main = page.get_by_role("main")
    done = page.get_by_role("status")
    page.goto(f"{visitor.url}/notifications/channels/new/")
    page.get_by_label("Name").fill("Nowhere")
    page.get_by_label("Apprise URL").fill("json://127.0.0.1:9/")
    page.get_by_role("button", name="Add channel").click()
    page.get_by_role("button", name="Test Nowhere").click()
    expect(done.filter(has_text="A test goes to Nowhere")).to_be_visible()
    page.get_by_role("button", name="Disable Nowhere").click()
    expect(page.get_by_role("row").filter(has_text="Nowhere").first).to_contain_text("Disabled")
    page.get_by_role("link", name="All messages").click()
    page.get_by_label("How it ended").select_option("succeeded")
    expect(main).to_contain_text("No message matches")
    page.goto(f"{visitor.url}/notifications/")
    page.get_by_role("link", name="Nowhere", exact=True).click()
    page.get_by_role("button", name="Delete Nowhere").click()
    expect(main).to_contain_text("there is no channel")


def users(visitor: Visitor) -> None:
    """Added, regrouped, given another password, deactivated."""
    page = visitor.page
    page.goto(f"{visitor.url}/settings/users/")
    page.get_by_label("Username").fill("eve")
    page.get_by_role("button", name="Add user").click()
    password = page.locator("#first-password").inner_text()
    page.get_by_label("Group of eve", exact=True).select_option("Operator")
    page.get_by_role("button", name="Change the group of eve").click()
    expect(page.get_by_label("Group of eve", exact=True)).to_have_value("operators")
    page.get_by_role("button", name="New password for eve").click()
    expect(page.locator("#first-password")).not_to_have_text(password)
    page.get_by_role("button", name="Deactivate eve").click()
    expect(page.get_by_role("row").filter(has_text="eve")).to_contain_text("Deactivated")


def deployment(visitor: Visitor) -> None:
    """This version is exported for validators, and downloaded."""
    page = visitor.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Deployment").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing is exported yet.")
    page.get_by_label("Models").fill("a/model")
    page.get_by_label("Time budget").fill("2")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_label("Time budget")).to_have_value("2")  # the browser's own check
    page.get_by_label("Time budget").fill("20")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("region", name="Newest export")).to_contain_text("hybrid, LLM always, 20 s a step")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .tar.gz").click()
    with tarfile.open(download.value.path()) as tar:
        assert any(name.endswith("/main.py") for name in tar.getnames())


def plans(visitor: Visitor) -> None:
    """How long records are kept; a bad setting is kept in its form."""
    page = visitor.page
    page.goto(f"{visitor.url}/settings/retention/")
    page.get_by_label("Log records: days").fill("12")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Log records: days")).to_have_value("12")
    page.goto(f"{visitor.url}/settings/")
    page.get_by_label("Backoff", exact=True).fill("60, soon")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("main")).to_contain_text("“soon” is not a number")
    expect(page.get_by_label("Backoff", exact=True)).to_have_value("60, soon")


def audit_and_password(visitor: Visitor) -> None:
    """What was done is filtered and exported; then the own password is changed."""
    page = visitor.page
    done = page.get_by_role("status")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Audit").click()
    page.get_by_label("What", exact=True).select_option("User")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_label("Audit log").get_by_role("row")).to_have_count(5)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Export CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 5
    page.get_by_role("link", name="admin", exact=True).click()
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another-long-password")
    page.get_by_label("New password confirmation").fill("another-long-password")
    page.get_by_role("button", name="Change password").click()
    expect(done.filter(has_text="Your password is changed")).to_be_visible()
