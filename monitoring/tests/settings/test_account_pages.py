"""The accounts on the panel: the list and a page for each, changed by admins; no key is ever shown."""

import json

import pytest
from django.test import Client
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import accounts, default_account
from agents.configuration.account_changes import add_account, change_account
from agents.configuration.keys import admin_key_of, key_of
from agents.models import Account
from monitoring.models import TestRun
from monitoring.testruns.suites import key
from monitoring.tests.reading import rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step

pytestmark = pytest.mark.django_db

KEY, OTHER = "cpk_made.up.WXYZ", "cpk_other.one.ABCD"
NEW = "/settings/accounts/new/"
EMPTY = {"base_url": "", "model_names": "", "request_options": "", "price_overrides": "", "management_url": "", "key": "", "admin_key": ""}


def fields(**more: str) -> dict[str, str]:
    return {**EMPTY, "enabled": "on", **more}


def spare(name: str = "spare", **more: str) -> Account:
    return add_account(name, {"base_url": "https://llm.example.com/v1"}, by=None, reason="", **more)


def page_of(account: Account) -> str:
    return f"/settings/accounts/{account.pk}/"


def names() -> list[str]:
    return [account.name for account in accounts()]


def account_rows(client: Client) -> list[str]:
    """The rows of the list of accounts."""
    tree = tree_of(client.get("/settings/"))
    return [" ".join(" ".join(row.itertext()).split()) for row in tree.xpath("//tr[starts-with(@id, 'account-')]")]


def test_the_list_shows_order_state_key_models_and_host(viewer: Client, settings: DjangoSettings) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL = "cpk_from.the.ENVI", "https://llm.chutes.ai/v1"
    settings.CHUTES_MODELS = ("a/model", "b/model")
    default_account()
    change_account(spare(key=KEY, admin_key=OTHER), {"model_names": ["c/model"]}, by=None, reason="")
    change_account(spare("off", key=KEY), {"enabled": False}, by=None, reason="")
    spare("keyless")
    spare("modelless", key=KEY)
    assert account_rows(viewer) == [
        "1 default llm.chutes.ai a/model, b/model Enabled •••• ENVI, from CHUTES_API_KEY",
        "2 spare llm.example.com c/model Enabled •••• WXYZ, entered here Admin key •••• ABCD, entered here",
        "3 off llm.example.com no models Disabled •••• WXYZ, entered here",
        "4 keyless llm.example.com no models No key none",
        "5 modelless llm.example.com no models No model known yet •••• WXYZ, entered here",
    ]


def test_a_key_that_cannot_be_decrypted_is_reported(viewer: Client) -> None:
    account = spare(key=KEY)
    Account.objects.filter(pk=account.pk).update(key_sealed="damaged")
    assert "Key can't be decrypted: enter it again" in account_rows(viewer)[1]


def test_an_admin_adds_an_account(admin: Client) -> None:
    given = fields(name="spare", base_url="https://llm.example.com/v1", model_names="a/model\nb/model", key=KEY, reason="More room")
    response = admin.post(NEW, {**given, "price_overrides": '{"a/model": [0.1, 0.4]}', "request_options": "{}"}, follow=True)
    assert "Account spare is added." in text_of(response)
    row = Account.objects.get(name="spare")
    assert (row.position, row.base_url, row.model_names) == (2, "https://llm.example.com/v1", ["a/model", "b/model"])
    assert (row.price_overrides, row.request_options, key_of(row)) == ({"a/model": [0.1, 0.4]}, {}, KEY)
    assert "one-of-admins Account spare Added Base URL https://llm.example.com/v1" in text_of(response)


def test_an_account_is_assigned_to_named_miners(admin: Client, settings: DjangoSettings) -> None:
    account = spare()
    assert not tree_of(admin.get(page_of(account))).xpath("//textarea[@name='miner_names']")
    settings.MINER_NAME = "a"
    text = text_of(admin.post(page_of(account), fields(name="spare", miner_names="a\nb"), follow=True))
    account.refresh_from_db()
    assert account.miner_names == ["a", "b"] and "Miners none → a, b" in text


def test_an_admin_changes_each_field(admin: Client) -> None:
    account = spare()
    given = fields(
        name="renamed",
        base_url="http://127.0.0.1:9/v1",
        model_names="a/model",
        request_options='{"temperature": 0}',
        price_overrides='{"a/model": [1, 2]}',
        management_url="http://127.0.0.1:9",
    )
    del given["enabled"]
    response = admin.post(page_of(account), given, follow=True)
    account.refresh_from_db()
    assert (account.name, account.enabled, account.request_options) == ("renamed", False, {"temperature": 0})
    assert (account.price_overrides, account.management_url) == ({"a/model": [1, 2]}, "http://127.0.0.1:9")
    text = text_of(response)
    for part in ("Name spare → renamed", "Enabled yes → no", 'Prices none → {"a/model": [1, 2]}', "Models none → a/model"):
        assert part in text


def test_a_key_goes_in_and_never_comes_out(admin: Client, caplog: pytest.LogCaptureFixture) -> None:
    account = default_account()
    response = admin.post(page_of(account), fields(key=KEY, admin_key=OTHER), follow=True)
    account.refresh_from_db()
    assert (key_of(account), admin_key_of(account)) == (KEY, OTHER)
    text = text_of(response)
    for part in ("In use: •••• WXYZ, entered here", "API key entered: •••• WXYZ", "Admin key entered: •••• ABCD"):
        assert part in text
    refused = admin.post(page_of(account), fields(key=KEY, request_options="{"))
    for shown in (response, refused, admin.get("/settings/")):
        assert b"cpk_" not in shown.content
    assert not tree_of(refused).xpath("//input[@type='password'][@value]")
    assert "cpk_" not in caplog.text


def test_an_empty_key_leaves_the_stored_one(admin: Client) -> None:
    account = spare(key=KEY)
    admin.post(page_of(account), fields(name="spare", base_url=account.base_url, model_names="a/model\nb/model, c/model\na/model"))
    account.refresh_from_db()
    assert key_of(account) == KEY
    assert account.model_names == ["a/model", "b/model", "c/model"]


def test_a_key_is_replaced_and_removed(admin: Client) -> None:
    account = spare(key=KEY, admin_key=KEY)
    text = text_of(admin.post(page_of(account), fields(name="spare", key=OTHER), follow=True))
    assert "API key replaced: •••• WXYZ → •••• ABCD" in text
    text = text_of(admin.post(page_of(account), fields(name="spare", remove_key="on", remove_admin_key="on"), follow=True))
    assert "API key removed: •••• ABCD" in text
    assert "Admin key removed: •••• WXYZ" in text
    account.refresh_from_db()
    assert (account.key_sealed, account.admin_key_sealed) == ("", "")


def test_only_a_key_that_was_entered_can_be_removed(admin: Client, settings: DjangoSettings) -> None:
    settings.CHUTES_API_KEY = "cpk_from.the.ENVI"
    account = default_account()
    assert not tree_of(admin.get(page_of(account))).xpath("//input[@name='remove_key']")
    change_account(account, {}, key=KEY, by=None, reason="")
    assert tree_of(admin.get(page_of(account))).xpath("//input[@name='remove_key']")


def test_a_key_cannot_be_replaced_and_removed_at_once(admin: Client) -> None:
    account = spare(key=KEY)
    response = admin.post(page_of(account), fields(name="spare", key=OTHER, remove_key="on"))
    assert "not both" in text_of(response, "//*[@id='id_key_error']")
    account.refresh_from_db()
    assert key_of(account) == KEY


def test_another_key_with_the_same_end_is_in_the_history(admin: Client) -> None:
    account = spare(key=KEY)
    admin.post(page_of(account), fields(name="spare", key=f"cpk_other.{KEY[-4:]}"))
    assert "A key replaced; its last characters are the same" in text_of(admin.get("/settings/"))


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("name", "two words", "letters, numbers, underscores or hyphens"),
        ("name", "default", "already exists"),
        ("name", "", "required"),
        ("key", "two words", "Copy it again"),
        ("admin_key", "schlüssel", "Copy it again"),
        ("base_url", "no address", "such as https://llm.chutes.ai/v1"),
        ("management_url", "https://me:secret@api.chutes.ai", "without a user"),
        ("model_names", "x" * 201, "at most 200 characters"),
        (
            "request_options",
            "{temperature: 0}",
            "This is not JSON: Expecting property name enclosed in double quotes, at line 1, column 2.",
        ),
        ("request_options", "[]", "Give a JSON object"),
        ("request_options", '{"stream": true}', "The miner sets stream itself"),
        ("request_options", '{"top_k": ' + "9" * 4_400 + "}", "This JSON can't be read"),
        ("price_overrides", '{"a/model": 0.1}', 'Give prices as {"some/model": [0.1, 0.4]}'),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_an_invalid_value_is_rejected_at_its_field_and_kept_in_the_form(
    field: str, value: str, remedy: str, is_new: bool, admin: Client
) -> None:
    account = spare()
    before, kept = Account.objects.values().get(pk=account.pk), Account.history.count()
    given = fields(**{"name": "another", "base_url": "https://llm.example.com", field: value})
    response = admin.post(NEW if is_new else page_of(account), given)
    assert remedy in text_of(response, f"//*[@id='id_{field}_error']")
    assert "Nothing is saved" in text_of(response)
    if "key" not in field:
        (control,) = tree_of(response).xpath(f"//*[@name='{field}']")
        assert (control.get("value") or control.text or "").strip() == value
    assert (Account.objects.values().get(pk=account.pk), Account.history.count()) == (before, kept)
    assert names() == ["default", "spare"]


def test_each_field_shows_its_meaning_default_and_range(admin: Client) -> None:
    text = text_of(admin.get(page_of(spare())))
    assert "Sent with each call, as JSON. Remove what this provider refuses." in text
    assert 'Default {"chat_template_kwargs": {"enable_thinking": false}} · at most 2,000 characters' in text
    assert "In force: http" in text, "an empty management URL stands for the environment's"
    assert "In force: https://llm.example.com/v1" not in text, "what is written needs no second word"
    assert "Empty: the three cheapest that list json_mode." in text


def test_the_default_account_shows_its_values_from_the_environment(admin: Client, settings: DjangoSettings) -> None:
    settings.CHUTES_MODELS, settings.CHUTES_ADMIN_KEY = ("a/model",), "cpk_admin.the.ENVI"
    response = admin.get(page_of(default_account()))
    text = text_of(response)
    assert "Empty fields are taken from the environment: CHUTES_API_KEY , CHUTES_ADMIN_KEY" in text
    assert "In force: a/model" in text
    assert "In use: •••• ENVI, from CHUTES_ADMIN_KEY" in text
    assert not tree_of(response).xpath("//input[@name='name']")
    assert "taken from the environment" not in text_of(admin.get(page_of(spare())))


def test_accounts_are_put_in_order(admin: Client) -> None:
    account = spare()
    response = admin.post(f"{page_of(account)}move/", {"to": "up"}, follow=True)
    assert names() == ["spare", "default"]
    assert "Account spare Position 2 → 1" in text_of(response)
    admin.post(f"{page_of(account)}move/", {"to": "down"})
    assert names() == ["default", "spare"]
    tree = tree_of(admin.get("/settings/"))
    assert [button.get("aria-label") for button in tree.xpath("//button[@name='to'][@disabled]")] == [
        "Move default up",
        "Move spare down",
    ]


def test_an_account_is_switched_off_and_on(admin: Client) -> None:
    account = spare()
    response = admin.post(f"{page_of(account)}switch/", {"enabled": "false"}, follow=True)
    assert "Account spare Enabled yes → no" in text_of(response)
    assert not Account.objects.get(pk=account.pk).enabled
    admin.post(f"{page_of(account)}switch/", {"enabled": "true"})
    assert Account.objects.get(pk=account.pk).enabled
    assert "neither true nor false" in text_of(admin.post(f"{page_of(account)}switch/", {}, follow=True))


def test_an_unused_account_is_deleted_and_shown_in_the_history(admin: Client) -> None:
    account = spare(key=KEY)
    response = admin.post(f"{page_of(account)}delete/", follow=True)
    assert names() == ["default"]
    assert rows_of(response)[1].endswith("one-of-admins Account spare Deleted")


def test_an_account_with_attempts_can_only_be_disabled(admin: Client) -> None:
    account = spare()
    make_attempt(make_llm_step(), account=account)
    response = admin.get(page_of(account))
    assert "LLM attempts of the account spare are on record. Disable it instead." in text_of(response)
    assert not tree_of(response).xpath("//form[contains(@action, 'delete')]")
    assert "Disable it instead" in text_of(admin.post(f"{page_of(account)}delete/", follow=True))
    assert names() == ["default", "spare"]


def test_the_histories_of_several_accounts_are_kept_apart(admin: Client) -> None:
    first, second = spare("first"), spare("second")
    change_account(first, {"model_names": ["a/model"]}, by=None, reason="")
    change_account(second, {"model_names": ["b/model"]}, by=None, reason="")
    text = text_of(admin.get("/settings/"))
    assert "Account first Models none → a/model" in text
    assert "Account second Models none → b/model" in text
    assert "b/model" not in text_of(admin.get(page_of(first)), "//section[@aria-labelledby='history']")


def test_a_viewer_sees_an_account_and_no_form(viewer: Client) -> None:
    account = change_account(spare(key=KEY), {"model_names": ["a/model"]}, by=None, reason="")
    response = viewer.get(page_of(account))
    assert not tree_of(response).xpath("//main//input | //main//button | //main//textarea")
    for part in ("Models Tried in this order.", "a/model", "API key •••• WXYZ, entered here"):
        assert part in text_of(response)
    assert not tree_of(viewer.get("/settings/")).xpath("//main//button")


def test_an_unknown_account_is_not_found(admin: Client) -> None:
    assert admin.get("/settings/accounts/999/").status_code == 404
    assert admin.post("/settings/accounts/999/move/", {"to": "up"}).status_code == 404


def test_an_operator_has_one_account_tested_alone(operator: Client) -> None:
    default_account()
    second = spare()
    run = TestRun.objects.get(pk=operator.post(f"{page_of(second)}test/")["Location"].strip("/").split("/")[-1])
    assert (run.suites, run.options, run.trigger) == (["key"], {"account": "spare"}, "operator")
    assert key.parts(run) == ["spare"]
    assert "Direct key test of account spare" in text_of(operator.get(run.get_absolute_url()))
    assert operator.post(f"{page_of(second)}test/").status_code == 409, "one run at a time"


def test_a_replaced_key_is_to_be_tested(admin: Client) -> None:
    account = default_account()
    page = admin.post(page_of(account), fields(key=KEY), follow=True)
    assert "The new key takes effect with the next step. Test it" in text_of(page)
    assert tree_of(page).xpath(f"//form[@action='{page_of(account)}test/']//button")
    rotate = tree_of(admin.get("/settings/")).xpath("//a[@aria-label='Rotate key of default']/@href")
    assert rotate == [f"{page_of(account)}#id_key"]


def test_a_new_base_url_requires_the_key_with_an_error_at_its_field(admin: Client) -> None:
    account = spare(key=KEY)
    given = fields(name="spare", base_url="https://llm.other.example/v1")
    answer = admin.post(page_of(account), given)
    assert "Enter the key again: it is sent to another URL from now on." in text_of(answer)
    assert len(tree_of(answer).xpath("//*[@name='key' and @aria-invalid='true']")) == 1
    account.refresh_from_db()
    assert account.base_url == "https://llm.example.com/v1"
    assert admin.post(page_of(account), {**given, "key": OTHER}).status_code == 302
    account.refresh_from_db()
    assert (account.base_url, key_of(account)) == ("https://llm.other.example/v1", OTHER)


def test_no_page_moves_a_key_to_another_url_without_it(admin: Client) -> None:
    account = spare(key=KEY)
    change_account(account, {"base_url": "https://llm.other.example/v1"}, key=OTHER, by=None, reason="")
    history = Account.history.filter(id=account.pk, base_url="https://llm.other.example/v1").order_by("history_id").first()
    assert history is not None
    admin.post(f"/settings/changes/account/{history.history_id}/revert/")
    document = json.dumps({"version": 1, "accounts": [{"name": "spare", "base_url": "https://llm.evil.example/v1"}]})
    admin.post("/settings/import/", {"text": document, "confirmed": "1"})
    account.refresh_from_db()
    assert (account.base_url, key_of(account)) == ("https://llm.other.example/v1", OTHER)


@pytest.mark.parametrize("url", ["https://169.254.169.254/v1", "https://10.0.0.5/v1", "http://llm.example.com/v1"])
def test_a_host_that_gets_no_key_is_refused_at_its_field(admin: Client, url: str) -> None:
    answer = admin.post(NEW, fields(name="another", base_url=url, key=KEY))
    assert tree_of(answer).xpath("//*[@aria-invalid='true']/@name") == ["base_url"]
    assert "another" not in names()
