"""A user makes a token, reads the API's documentation and revokes the token, in a real browser."""

import httpx
from playwright.sync_api import expect

from minerpanel.tests.visitors import FITS, Visitor


def test_a_token_is_made_used_and_revoked(visitor: Visitor) -> None:
    visitor.log_in("operator")
    page = visitor.page
    page.goto(f"{visitor.url}/account/password/")
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("Scope").select_option("operate")
    page.get_by_role("button", name="Create token").click()
    token = page.locator("#new-token").inner_text()
    expect(page.get_by_role("region", name="Your tokens")).to_contain_text(f"laptop …{token[-4:]}")
    status = httpx.get(f"{visitor.url}/api/v1/status", headers={"Authorization": f"Bearer {token}"})
    assert status.json()["headline"]
    page.get_by_role("link", name="API documentation").click()
    expect(page.locator("#api")).to_contain_text("/api/v1/settings/preview")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(FITS)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="API tokens").click()
    expect(page.get_by_role("region", name="Your tokens")).not_to_contain_text("Never")  # it was used
    page.get_by_role("button", name="Revoke laptop").click()
    expect(page.get_by_role("status").filter(has_text="The token is revoked.")).to_be_visible()
    assert httpx.get(f"{visitor.url}/api/v1/status", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert visitor.faults == []
