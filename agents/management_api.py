"""The provider's management host, read with an account's admin key.

It goes through the same seam as the calls to the models. Each way a call can fail becomes a sentence about the part that is unknown:

    llm.LLMError
    ├── Refused       401, 403: not an admin key · 404: not the management host · 429: asked too often · else its status
    ├── Unreachable   no connection, or it broke
    ├── TimedOut      no answer in time
    └── BrokenReply   a 200 that is no JSON
"""

from __future__ import annotations

from collections.abc import Sequence

from agents import llm
from agents.quotas import PATHS, Failed, Reading, reading
from agents.redaction import redact
from agents.refusals import RefusalClass

# The management host answers in well under a second; all parts together stay inside a job's time.
SECONDS = 10.0
NOT_ADMIN = Failed("this key cannot read quotas: it needs an admin key", is_common=True)
TOO_OFTEN = Failed("the management host was asked too often (429); it is asked again in some minutes", is_common=True)
WRONG_HOST = Failed("no management API answers at this address; check the Management URL", is_common=True)
NO_JSON = Failed("the answer is no JSON")


def read(url: str, key: str, now: float, paths: Sequence[str] = PATHS) -> Reading:
    """What `key` reads at the management host `url`. What can't be read is unknown, with a sentence; nothing is raised for it.

    A host that is away or asks for less is left alone for the parts that are left.
    """
    answers: dict[str, object] = {}
    for path in paths:
        try:
            answers[path] = llm.document(f"{url.rstrip('/')}{path}", key, SECONDS)
        except llm.LLMError as error:
            failed = _failed(error, key)
            answers[path] = failed
            if failed is TOO_OFTEN or isinstance(error, llm.Unreachable | llm.TimedOut):
                break
    return reading(answers, now)


def _failed(error: llm.LLMError, key: str) -> Failed:
    match error:
        case llm.Refused():
            return _refused(error)
        case llm.BrokenReply():
            return NO_JSON
    return Failed(redact(f"the management host gives no answer: {str(error).rstrip('.')}", (key,)), is_common=True)


def _refused(error: llm.Refused) -> Failed:
    if error.status in (401, 403) and error.refusal.kind is RefusalClass.AUTH:
        return NOT_ADMIN
    if error.status == 429:
        return TOO_OFTEN
    return WRONG_HOST if error.refusal.kind is RefusalClass.AUTH else Failed(f"the management host answered with {error.status}")
