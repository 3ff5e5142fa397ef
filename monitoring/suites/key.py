"""Direct key test: does each account's key work, and if not, why not, and is it this account at all?"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

from django.utils import timezone

from agents import gates, llm, probing, readings
from agents.configuration import Provider, accounts, provider
from agents.facts import AttemptEnd
from agents.governor import State
from agents.keys import UnreadableKey, admin_key_of
from agents.ledger import actions
from agents.models import Account, RateLimitEvent
from agents.reasons import Purpose, Reason, Verdict
from agents.refusals import RefusalClass, sentence
from monitoring.models import Result
from monitoring.suites import key_words
from monitoring.suites.findings import Asked, Finding, Suite
from monitoring.suites.reach import reach

CONTROL_PATIENCE = 15.0


def _parts(asked: Asked) -> list[str]:
    return [account.name for account in accounts() if asked.account in ("", account.name)]


def _look(asked: Asked, name: str) -> Iterator[Finding | str]:
    """One account: its key, then its models."""
    yield f"Testing the key of account {name}"
    yield from _tested(Account.objects.get(name=name), asked)


KEY = Suite(_parts, _look)


def _tested(account: Account, asked: Asked) -> Iterator[Finding | str]:
    try:
        known = provider(account)
    except UnreadableKey as error:
        yield Finding("key", Result.FAIL, account.name, meaning=str(error), next_step="Enter the key again in the settings.")
        return
    obstacle = key_words.obstacle(account, has_key=bool(known.key), has_models=bool(known.models))
    if obstacle:
        yield obstacle
        return
    gate, now = gates.of(account), time.time()
    if gate.state(now) is State.PAUSED:
        if not asked.bypass_pause:
            yield key_words.paused(account, gate, _open_event(account))
            return
        actions.probe(account, by="test run", now=now)
    yield _called(account, known)
    yield from _others(account, known)


def _others(account: Account, known: Provider) -> Iterator[Finding | str]:
    yield f"Comparing the models of account {account.name} with the provider's list"
    yield _listed(account, known)
    yield f"Trying the admin key of account {account.name}"
    yield _admin(account)


def _called(account: Account, known: Provider) -> Finding:
    sent = probing.send(account, Purpose.TEST)
    if sent.end is None:
        return key_words.not_sent(account, sent)
    end = sent.end
    if end.verdict == Verdict.OK:
        return key_words.works(account, sent.model, end)
    if end.verdict == Verdict.REFUSED:
        return _refused(account, known, sent.model, end)
    return _failed(account, known, sent.model, end)


def _refused(account: Account, known: Provider, model: str, end: AttemptEnd) -> Finding:
    kind = RefusalClass(end.refusal)
    if kind is RefusalClass.EDGE:
        return key_words.limited(account, model, end, _open_event(account), control=_control(known, model))
    return key_words.refused(account, model, end, sentence(kind, status=end.status), _open_event(account))


def _control(known: Provider, model: str) -> RefusalClass | None:
    """What a well-formed key that nobody has meets: the edge answers a bad header just as it answers a limited account.

    None: it came through, or nothing came back.
    """
    wrong = f"cpk_{secrets.token_hex(16)}.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
    anybody = Provider(known.base_url, wrong, (model,), {}, known.options)
    try:
        llm.Call(anybody, model, probing.PROMPT, cut_off=time.time() + CONTROL_PATIENCE).result()
    except llm.Refused as error:
        return error.refusal.kind
    except llm.LLMError:
        return None
    return None


def _failed(account: Account, known: Provider, model: str, end: AttemptEnd) -> Finding:
    if end.verdict == Verdict.GIVEN_UP:
        return key_words.not_sent(account, probing.Sent(Reason.MISSED, model))
    found = reach(known.base_url)
    return key_words.unreachable(account, model, end, found) if found.fault else key_words.failing(account, model, end)


def _listed(account: Account, known: Provider) -> Finding:
    try:
        listed = {str(entry["id"]) for entry in llm.catalogue(known)}
    except llm.LLMError as error:
        return key_words.unlisted(account, str(error))
    return key_words.models(account, known.models, listed)


def _admin(account: Account) -> Finding:
    """By a reading that is due, else by the newest one: the management host is asked every five minutes at most."""
    try:
        has_key = bool(admin_key_of(account))
    except UnreadableKey as error:
        return Finding("admin", Result.FAIL, account.name, meaning=str(error), next_step="Enter the admin key again in the settings.")
    if not has_key:
        return key_words.no_admin_key(account)
    row = readings.read(account, timezone.now()) or account.readings.order_by("-read_at").first()
    return key_words.admin(account, row)


def _open_event(account: Account) -> RateLimitEvent | None:
    return account.events.filter(model="", ended_by="").first()
