"""Error pages."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("no_database")
def test_without_the_database_a_page_shows_that_and_when_to_try_again() -> None:
    visitor = Client(raise_request_exception=False)
    visitor.cookies["minerpanel_session"] = "a" * 32
    for page in ("/", "/login/"):
        response = visitor.get(page)
        assert (response.status_code, response["Retry-After"]) == (503, "2"), page
        assert "The database does not answer" in response.content.decode()


def test_another_fault_is_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.sign_in.log_in.PanelLogin.get", lambda *_: 1 / 0)
    response = Client(raise_request_exception=False).get("/login/")
    assert response.status_code == 500
    assert "Something went wrong in the panel" in response.content.decode()
