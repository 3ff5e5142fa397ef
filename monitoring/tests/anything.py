"""Values, path parameters, bodies and headers that no page expects, and the parameters and fields that a view reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.datastructures import MultiValueDict
from lxml import html

HUGE = "9" * 4_500  # more digits than Python reads as a number
# Values that break many parsers; each field gets one of them, in turn, and all in the slow suite.
HARDEST = ("\0", HUGE, "http://[", "9999-12-31T23:59")
VALUES = (
    *HARDEST,
    "a\0b",
    "9" * 25,
    "-1",
    "0",
    "1",
    "1e400",
    "NaN",
    "x" * 100_000,
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{SUPERSCRIPT TWO}",
    "%s%n%",
    "'\"--;",
    "2026-99-99",
    "0001-01-01T00:00",
    "99999999999999999-999999999999999999",
    "n9-9",
    "n-99999999999999999999.99999999999999999999-999999999999999999",
    "null",
    '{"version": 1}',
    "a\r\nSet-Cookie: b=c",
    "../../etc/passwd",
    "\N{GRINNING FACE}\N{RIGHT-TO-LEFT OVERRIDE}",
    "json://[",
    " ",
    "* * * * * *",
    "since:9999-12-31 until:0001-01-01 caller:\0 status:9 -a",
    "60, " * 2_000,
)
# In JSON.
DOCUMENT_VALUES = (
    "null",
    "true",
    "[]",
    "{}",
    '[{"a": []}]',
    '""',
    '"a"',
    '"NaN"',
    '"\\u0000"',
    '"\\ud800"',
    "1e999",
    "NaN",
    "9" * 30,
    "-1",
    "0.5",
)
NUMBERS = ("0", "4711", "9" * 18, "9" * 19, "9" * 30, HUGE)
WORDS = ("nonsense", "%00", "a%00", "%ff", "x" * 3_000, "%F0%9F%98%80", "..", "account", "retention")
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"


def part(header: bytes, content: bytes = b"b") -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + header + b"\r\n\r\n" + content + b"\r\n--x--\r\n"


# Content type and body. With a limit of 10,000 bytes those of 20,000 are too large.
BODIES = (
    ("application/json", b"\xff\0"),
    ("text/plain", b"x"),
    ("", b"x"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=\xe9", b"x"),
    (PARTS, b"--x\r\ngarbage"),
    (PARTS, part(b'name="a\0"')),
    (PARTS, part(b'name="text"', b"x" * 20_000)),
    (PARTS, part(b'name="file"; filename="\0\xff/../"\r\nContent-Type: a', b"b\xff\0")),
    (f"{FORM}; charset=nonsense", b"a=1"),
    (f"{FORM}; charset=utf-16", b"a=1"),
    (FORM, b"%ff=%00&=&&&=%"),
    (FORM, b"&".join(b"a%d=1" % number for number in range(1_200))),
    (FORM, b"a=" + b"x" * 20_000),
)
HEADERS: tuple[dict[str, str], ...] = (
    {"Referer": "http://["},
    {"HX-Request": "true", "HX-Current-URL": "http://["},
    {"HX-Request": "true", "HX-Current-URL-URI-AutoEncoded": "true", "HX-Current-URL": "%00http://["},
    {"Cookie": 'minerpanel_session="\\000aaaaaaaa"'},
    {"Cookie": 'minerpanel_csrf="\\000"; zone="\\000"; messages="\\000"; django_language="\\000"'},
    {"Accept-Language": f"\0,de;q=x{'a' * 9_000}"},
    {"X-Forwarded-For": "\0"},
    {"If-None-Match": '"\0', "If-Modified-Since": "x", "Range": "bytes=x"},
    {"Host": "a\0b"},
    {"Host": "[::"},
)


@contextmanager
def names_read() -> Iterator[set[str]]:
    """The names of the parameters and fields that views read within the block."""
    names = set[str]()
    with pytest.MonkeyPatch.context() as patch:
        for method in ("__getitem__", "__contains__", "getlist"):
            patch.setattr(MultiValueDict, method, _noting(getattr(MultiValueDict, method), names))
        yield names


def _noting(read: Any, names: set[str]) -> Any:
    def noting(given: MultiValueDict[str, str], name: Any, *more: Any) -> Any:
        if isinstance(given, QueryDict) and name != "csrfmiddlewaretoken":
            names.add(name)
        return read(given, name, *more)

    return noting


def entered(client: Client, address: str) -> tuple[dict[str, Any], list[str]]:
    """The fields of a page's forms with their values, and the names of the file fields."""
    response = client.get(address)
    if response.status_code != 200 or "html" not in response["Content-Type"]:
        return {}, []
    fields, files = dict[str, Any](), list[str]()
    for control in html.document_fromstring(response.content.decode()).xpath("//form[@method='post']//*[@name]"):
        kind, name = control.get("type"), control.get("name")
        if kind == "file":
            files.append(name)
        elif kind not in ("submit", "hidden") and (kind not in ("checkbox", "radio") or control.checked):
            given = control.value
            fields[name] = given.strip() if isinstance(given, str) else list(given or ())
            if not fields[name] and "required" in control.attrib:
                fields[name] = _made_up(kind, name)
    return fields, files


def _made_up(kind: str | None, name: str) -> str:
    values = {"cron": "0 4 * * *", "url": "http://localhost:8000/"}
    return values.get(name, "1" if kind == "number" else "a-long-enough-word")
