"""Refusals that can be set to meet every request: those of Chutes by name, any other one by its status and body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from agents.standin.faults import BadSetting

# Of the form of an address to pay to, and obviously nobody's.
ADDRESS = "5" + "Fake" * 11 + "xyz"
DAILY_QUOTA = f"Quota exceeded and account balance is $0.00, please pay with fiat or send tao to {ADDRESS}"
CAP = "Subscription usage cap exceeded. Please add balance to continue."
CAPACITY = "Infrastructure is at maximum capacity, try again later"
PAYMENT = f"Account balance is $0.00, please pay with fiat or send tao to {ADDRESS}"
KEY = "Invalid or expired token"


@dataclass(frozen=True, slots=True)
class Refused:
    """What every request that passes the edge gets. `html` set: that page; else `detail` (any JSON value) in Chutes' form."""

    status: int
    detail: Any = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def content_type(self) -> str:
        return "text/html" if self.html else "application/json"

    @property
    def body(self) -> bytes:
        return self.html.encode() if self.html else json.dumps({"detail": self.detail}).encode()


NAMED = {
    "free_daily": Refused(429, "Free models limit reached for today. Please add balance or subscribe to continue."),
    "payment": Refused(402, PAYMENT),
    "subscription_cap": Refused(402, CAP),
    "forbidden": Refused(403, "You are not allowed to use this chute"),
    "blocked": Refused(403, html="<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"),
}


def read(name: str, value: object) -> Refused | None:
    """The refusal in the JSON value: a name, an object of status and body, or null for none. Raises BadSetting."""
    if value is None:
        return None
    if isinstance(value, str) and value in NAMED:
        return NAMED[value]
    if not isinstance(value, Mapping):
        raise BadSetting(name, f"null, one of {', '.join(NAMED)}, or an object with a status is wanted")
    unknown = set(value) - {"status", "detail", "html", "headers"}
    if unknown:
        raise BadSetting(f"{name}.{min(unknown)}", "unknown; known are status, detail, html, headers")
    return Refused(
        _status(f"{name}.status", value.get("status")),
        value.get("detail", ""),
        _text(f"{name}.html", value.get("html", "")),
        _headers(f"{name}.headers", value.get("headers", {})),
    )


def as_json(refused: Refused | None) -> dict[str, Any] | None:
    """In the form that `read` reads."""
    if refused is None:
        return None
    return {"status": refused.status, "detail": refused.detail, "html": refused.html, "headers": dict(refused.headers)}


def _status(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 300 <= value <= 599:
        raise BadSetting(name, "a status from 300 to 599 is wanted")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadSetting(name, "a text is wanted")
    return value


def _headers(name: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise BadSetting(name, "an object of texts by header is wanted")
    return MappingProxyType({_header(name, str(header)): _header(f"{name}.{header}", text) for header, text in value.items()})


def _header(name: str, value: object) -> str:
    text = _text(name, value)
    if not text.isascii() or not text.isprintable():
        raise BadSetting(name, "printable ASCII is wanted")
    return text
