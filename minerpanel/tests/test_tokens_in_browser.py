"""A user makes a token, reads the API's documentation and revokes the token, in a real browser."""

import json
import subprocess

import httpx
from playwright.sync_api import expect

from minerpanel.tests.processes import PATIENCE, ROOT
from minerpanel.tests.visitors import FITS, Visitor


def test_a_token_is_made_used_and_revoked(visitor: Visitor) -> None:
    visitor.log_in("admin")
    page = visitor.page
    page.goto(f"{visitor.url}/account/password/")
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("Scope").select_option("administer")
    page.get_by_role("button", name="Create token").click()
    token = page.locator("#new-token").inner_text()
    expect(page.get_by_role("region", name="Your tokens")).to_contain_text(f"laptop …{token[-4:]}")
    status = httpx.get(f"{visitor.url}/api/v1/status", headers={"Authorization": f"Bearer {token}"})
    assert status.json()["headline"]
    call_as_documented(visitor.url, token)
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


def call_as_documented(url: str, token: str) -> None:
    part = (ROOT / "docs/operations.md").read_text().split("\n## API")[1].split("```sh\n")[1].split("```")[0]
    commands = part.replace("curl ", "curl --silent --show-error --fail-with-body --write-out '\\n' ").replace("http://127.0.0.1:8000", url)
    done = subprocess.run(["bash", "-euc", commands], env={"TOKEN": token}, capture_output=True, text=True, check=True, timeout=PATIENCE)
    status, steps, preview, settings = map(json.loads, done.stdout.splitlines())
    assert status["headline"] and steps["items"] == []
    assert preview["changes"] == ["Spacing 5 s → 8 s"] and settings["values"]["spacing_seconds"] == 8
