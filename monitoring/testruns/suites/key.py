"""Direct key test: whether each account's key works, and if not, why, and whether other accounts are affected too."""

import ipaddress
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from agents.accounts import probing, quota_readings
from agents.accounts.status import AccountStatus, account_statuses
from agents.configuration import Provider, accounts, provider_hosts, usable
from agents.configuration.keys import UnreadableKey, admin_key_of
from agents.contract.step_facts import AttemptEnd
from agents.ledger import actions, gate_rows
from agents.llm import client
from agents.models import Account, RateLimitEvent
from agents.policy.gate import GateState
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import BY_CONTROL, RefusalClass, sentence
from monitoring.models import Result, TestRun
from monitoring.testruns.suites.findings import Finding

CONTROL_PATIENCE = 15.0
# Seconds; a slower host could not be used within a step.
CONNECT_PATIENCE = 5.0
# For a rate limit without a result of the control request.
UNCONTROLLED = (
    "Rate limited. Whether only this account is limited is unknown: the control request had no result.",
    "Wait for the reset, and run the test again.",
)


def parts(test_run: TestRun) -> list[str]:
    return [account.name for account in accounts() if test_run.options.get("account", account.name) == account.name]


def run(test_run: TestRun, name: str) -> Iterator[Finding | str]:
    for result in _tested(Account.objects.get(name=name), bypass_pause=bool(test_run.options.get("bypass_pause"))):
        yield result if isinstance(result, str) else replace(result, subject=name)


def _tested(account: Account, *, bypass_pause: bool) -> Iterator[Finding | str]:
    yield f"Testing the key of account {account.name}"
    provider = usable(account)
    if isinstance(provider, Reason):
        verdict = Result.SKIPPED if provider is Reason.DISABLED else Result.FAIL
        yield Finding("key", verdict, provider.meaning, provider.remedy)
        return
    gate, now = gate_rows.of(account), time.time()
    if gate.state(now) is GateState.PAUSED:
        if not bypass_pause:
            yield _paused(next(status for status in account_statuses(now) if status.account == account))
            return
        actions.probe(account, by="test run", now=now)
    yield _called(account, provider)
    yield f"Comparing the models of account {account.name} with the provider's list"
    yield _models(provider)
    yield f"Trying the admin key of account {account.name}"
    yield _admin(account)


def _paused(status: AccountStatus) -> Finding:
    event, source = status.event, status.gate.pause_source
    return Finding(
        "key",
        Result.WARN if source is PauseSource.OPERATOR else Result.FAIL,
        f"{status.cause_sentence} Testing now could make the pause longer.".lstrip(),
        "Wait for the reset, or run the test with “Test paused accounts too”.",
        "Nothing was sent: the account is paused.",
        f"Paused since {_clock(event.block_started_at)}. {_expected(event)}" if event else f"Paused: {source.sentence}.",
        facts={"is_paused": True, **_prediction(event)},
    )


def _called(account: Account, provider: Provider) -> Finding:
    sent = probing.send(account, Purpose.TEST)
    end, done = sent.end, f"Requested a single token from {sent.model}."
    facts: dict[str, Any] = {"model": sent.model}
    if end is None or end.verdict == Verdict.GIVEN_UP:
        reason, done = Reason.MISSED if end else sent.reason, "Nothing was sent: the gate did not let the test through."
        again = "Run the test again when fewer steps come in."
        return Finding("key", Result.SKIPPED, reason.sentence, again, done, facts={"reason": reason.value})
    if end.verdict == Verdict.OK:
        facts |= {"latency": round(_seconds(end), 3), "tokens": [end.prompt_tokens, end.completion_tokens], "quota": end.quota}
        return Finding("key", Result.OK, "The key works.", "", done, _answer(end), facts=facts)
    if end.verdict != Verdict.REFUSED:
        return _unanswered(provider, end, done, facts)
    event = account.events.filter(model="", ended_by="").first()
    facts |= {"class": end.refusal, **_prediction(event)}
    if end.refusal != RefusalClass.EDGE:
        return _refused(end, event, done, facts | {"status": end.status})
    control = _control(provider, sent.model)
    meaning, step = UNCONTROLLED
    if control in BY_CONTROL:
        meaning, step = BY_CONTROL[control]
        actions.note_control(account, control, time.time())
    came_back = f"{_status(end)} {_expected(event)} The made-up key got: {control or 'no result'}."
    return Finding(
        "key", Result.FAIL, meaning, step, f"{done} Then the same with a made-up key.", came_back, facts={**facts, "control": control}
    )


def _refused(end: AttemptEnd, event: RateLimitEvent | None, done: str, facts: dict[str, Any]) -> Finding:
    kind, meaning = RefusalClass(end.refusal), sentence(RefusalClass(end.refusal), status=end.status)
    verdict = Result.FAIL if kind.pauses_account or kind.about.remedy else Result.WARN
    came_back = f"{_status(end)} {_expected(event)}" if event and event.predicted_at else _status(end)
    if meaning != kind.sentence:  # the status shows that it is a wrong host, not a wrong key
        return Finding("key", verdict, meaning, "Check the base URL in the settings.", done, came_back, facts=facts)
    again = "Wait for the reset, or top up the account." if kind.pauses_account else "Run the test again in a few minutes."
    meaning = f"{kind.about.sentence}{'' if kind.pauses_account else ' This is no result about the key.'}"
    return Finding("key", verdict, meaning, kind.about.remedy or again, done, came_back, facts=facts)


def _control(provider: Provider, model: str) -> RefusalClass | None:
    """The refusal of a made-up key, as the edge answers a bad header like a limited account. None: not refused, or no answer."""
    wrong = f"cpk_{secrets.token_hex(16)}.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
    control = Provider(provider.base_url, wrong, (model,), {}, provider.options)
    try:
        client.Call(control, model, probing.PROMPT, cut_off=time.time() + CONTROL_PATIENCE).result()
    except client.LLMError as error:
        return error.refusal.kind if isinstance(error, client.Refused) else None
    return None


def _unanswered(provider: Provider, end: AttemptEnd, done: str, facts: dict[str, Any]) -> Finding:
    fault, sentence = _unreachable(provider.base_url)
    done, facts = f"{done} Then connected to the host alone.", facts | {"fault": fault or "no answer"}
    if fault:
        meaning, step = f"The host can't be reached. {sentence}", "Check the base URL, and this machine's network."
        return Finding("key", Result.FAIL, meaning, step, done, end.detail, facts=facts)
    meaning, step = "The host is reachable, but did not answer. The key was not tested.", "Run the test again in a few minutes."
    return Finding("key", Result.WARN, meaning, step, done, end.detail, facts=facts)


def _models(used: Provider) -> Finding:
    done, step = "Read the provider's public list of models.", "Choose listed models in the settings."
    try:
        listed = {str(entry["id"]) for entry in client.catalogue(used)}
    except client.LLMError as error:
        meaning = "Whether the models are still listed is unknown."
        return Finding("models", Result.WARN, meaning, "Check the base URL in the settings.", done, str(error))
    missing = [model for model in used.models if model not in listed]
    came_back, facts = f"{len(listed)} models are listed.", {"wanted": list(used.models), "missing": missing}
    if missing:
        verdict = Result.FAIL if len(missing) == len(used.models) else Result.WARN
        return Finding("models", verdict, f"Not listed any more: {', '.join(missing)}.", step, done, came_back, facts=facts)
    meaning = f"All {len(used.models)} models of the account are listed." if len(used.models) > 1 else f"{used.models[0]} is listed."
    return Finding("models", Result.OK, meaning, "", done, came_back, facts=facts)


def _admin(account: Account) -> Finding:
    """By a new reading if one is due, else by the newest one, as the management host is called every five minutes at most."""
    try:
        has_key = bool(admin_key_of(account))
    except UnreadableKey as error:
        return Finding("admin", Result.FAIL, str(error), "Enter the admin key again in the settings.")
    if not has_key:
        step = "Optional: make a key with admin rights at the provider, and enter it as the account's admin key."
        return Finding("admin", Result.SKIPPED, "No admin key is set, so balance, quota and caps are unknown.", step)
    row = quota_readings.read(account, timezone.now()) or account.readings.order_by("-read_at").first()
    done = "Read balance, quota and caps with the admin key."
    if row is None:
        return Finding("admin", Result.SKIPPED, "Another reading is running.", "Run the test again.", done)
    if row.fault:
        step = "Check the admin key and the Management URL in the settings."
        return Finding("admin", Result.WARN, row.fault, step, done, f"Read at {_clock(row.read_at)}.")
    limits = [f"balance {row.balance:g} USD"] if row.balance is not None else []
    if row.daily_total and row.daily_used is not None:
        limits.append(f"{row.daily_used:g} of {row.daily_total:g} requests of the day")
    came_back = f"Read at {_clock(row.read_at)}: {', '.join(limits) or 'no limits'}."
    return Finding("admin", Result.OK, "The admin key can read balance and quotas.", "", done, came_back)


def _seconds(end: AttemptEnd) -> float:
    return end.ended_at - (end.sent_at or end.ended_at)


def _status(end: AttemptEnd) -> str:
    return f"Status {end.status} after {_seconds(end):.1f} s: {end.detail or 'no text'}."


def _answer(end: AttemptEnd) -> str:
    tokens = f", {end.prompt_tokens} + {end.completion_tokens} tokens" if end.prompt_tokens is not None else ""
    quota = f" {end.quota['used']:g} of {end.quota['total']:g} requests of the day are used." if end.quota and end.quota["total"] else ""
    limit = f" The provider publishes a limit of {end.published:g} a minute." if end.published else ""
    return f"Status {end.status} after {_seconds(end):.1f} s{tokens}.{quota}{limit}"


def _expected(event: RateLimitEvent | None) -> str:
    if event is None:
        return ""
    if event.predicted_at is None:
        return "When it will be back is unknown."
    source = PauseSource(event.prediction_source).sentence
    return f"Expected back at {_clock(event.predicted_at)} ({source}, confidence {event.confidence:.0%})."


def _prediction(event: RateLimitEvent | None) -> dict[str, Any]:
    if event is None:
        return {}
    at = event.predicted_at.isoformat() if event.predicted_at else None
    return {"since": event.block_started_at.isoformat(), "predicted_at": at, "source": event.prediction_source}


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _unreachable(url: str) -> tuple[str, str]:
    """Why the host accepts no connection, or no TLS, as a word and a sentence; both empty if it does. Sends nothing."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        return "address", f"{url} is not a valid address ({error})."
    if not host:
        return "address", f"{url} has no host."
    try:
        addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (socket.gaierror, UnicodeError) as error:
        return "dns", f"The name {host} can't be resolved ({error})."
    bad = provider_hosts.refused(host, port, (ipaddress.ip_address(ip.partition("%")[0]) for ip in addresses))
    if bad is not None:
        return "address", f"{host} is refused: {provider_hosts.why_refused(bad)}."
    return _connected(host, addresses[0], port, is_tls=parts.scheme == "https")


def _connected(host: str, address: str, port: int, *, is_tls: bool) -> tuple[str, str]:
    try:
        with socket.create_connection((address, port), CONNECT_PATIENCE) as connection:
            if is_tls:
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except TimeoutError:
        return "timeout", f"{host} port {port} did not accept a connection within {CONNECT_PATIENCE:.0f} s."
    except ConnectionRefusedError:
        return "refused", f"Nothing listens at {host} port {port}."
    except ssl.SSLError as error:
        return "tls", f"{host} has no valid certificate, or does not support TLS ({error.reason or error})."
    except OSError as error:
        return "network", f"{host} port {port} can't be reached ({error})."
    return "", ""
