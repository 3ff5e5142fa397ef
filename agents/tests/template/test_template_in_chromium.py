"""Plans of the template agent, carried out in a real browser against pages from a real server."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from agents.contract.protocol import Form
from agents.template import plan
from agents.tests.real_browser import carry_out, in_steps, step

NAV = "<!doctype html><title>Films</title><nav><a href='/about?seed=58'>About</a><a href='/login?seed=58'>Sign in</a></nav>"
# Filled and sent by script, as single-page sites do: no names, no action, contents that come late.
LOGIN = """<div id=late></div><script>setTimeout(() => {
  late.innerHTML = `<form><div><label>User</label><span><input></span></div><div><label>Secret</label><input type=password></div>
    <button type=submit>Go on</button></form>`;
  const [user, secret] = late.querySelectorAll("input");
  late.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    location = "/sent?seed=58&" + new URLSearchParams({user: user.value, secret: secret.value});
  };
}, 300)</script>"""
SEARCH = (
    "<form action='/sent'><input type=hidden name=seed value=58><input name=words placeholder='Find films'>"
    "<select name=genre><option>All<option>Drama</select><button>Go</button></form>"
)
PAGES = {"/": NAV + SEARCH, "/login": NAV + LOGIN, "/about": NAV + "<h1>About</h1>", "/sent": NAV + "<h1>Thank you</h1>"}


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGES.get(urlsplit(self.path).path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/?seed=58"
        server.shutdown()


def at_once(page: Page, prompt: str, url: str) -> None:
    for action in plan(step(Form.ONE_SHOT, prompt, url), None).actions:
        assert carry_out(page, action), action.in_words()


def sent(page: Page) -> dict[str, list[str]]:
    page.wait_for_url("**/sent?*")
    return parse_qs(urlsplit(page.url).query)


LOG_IN = "Log in where username equals 'ann' and password equals 'x y'"
FILTER = "Pick films where words contains 'it is' and genre not equals 'All'"


def test_a_one_shot_login_reaches_a_form_that_a_script_makes(page: Page, site: str) -> None:
    at_once(page, LOG_IN, site)
    assert sent(page) == {"seed": ["58"], "user": ["ann"], "secret": ["x y"]}


def test_login_in_steps_reaches_a_form_that_a_script_makes(page: Page, site: str) -> None:
    assert in_steps(page, LOG_IN, site)
    assert sent(page) == {"seed": ["58"], "user": ["ann"], "secret": ["x y"]}


def test_a_one_shot_search_is_sent(page: Page, site: str) -> None:
    at_once(page, "Search for the film 'Arrival'", site)
    assert sent(page)["words"] == ["Arrival"]


def test_a_search_in_steps_is_sent_once_and_done(page: Page, site: str) -> None:
    assert in_steps(page, 'Search for the film "Ocean\'s Eleven"', site)
    assert sent(page)["words"] == ["Ocean's Eleven"]


def test_fields_of_any_other_task_are_filled_by_their_names(page: Page, site: str) -> None:
    assert in_steps(page, FILTER, site)
    assert sent(page) == {"seed": ["58"], "words": ["it is"], "genre": ["Drama"]}


def test_a_site_without_the_requested_control_ends_the_task(page: Page, site: str) -> None:
    assert in_steps(page, "Log out", site)
    assert page.url == site
