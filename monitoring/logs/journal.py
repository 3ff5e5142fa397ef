"""Reading a miner's journal: bytes → lines → records → what they mean. Pure: no Django, no files, no clock."""

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from io import BufferedIOBase
from typing import Any, NamedTuple

from agents.common.choice import Choice

# The rest of a longer line is skipped: a file without line breaks must not fill the memory, and heads are at the beginning.
LONGEST_LINE = 65_536


def text_lines(file: BufferedIOBase) -> Iterator[str]:
    """The lines of a file in any encoding, without line breaks."""
    is_rest = False
    while line := file.readline(LONGEST_LINE):
        if not is_rest:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                text = line.decode("latin-1")
            # Databases accept no NUL.
            yield text.removesuffix("\n").rstrip("\r").replace("\0", "\ufffd")
        is_rest = not line.endswith(b"\n")


# Level names as Python, gunicorn, uvicorn, loguru and bittensor write them.
_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}
_SEVERITIES = (50, 50, 50, 40, 30, 20, 20, 10)  # Syslog's severities 0 to 7, RFC 5424 section 6.2.1
_HEAD_CHARS = 120  # the heads of Python's log formats are shorter
TRACEBACK = "Traceback (most recent call last):"

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
_LEVEL = "|".join(sorted(_LEVELS, key=len, reverse=True))
_SHORT = rf"[A-Z][a-z]{{2}} [ \d]\d {_CLOCK}"
_ISO = rf"\d{{4}}-\d\d-\d\d[T ]{_CLOCK} ?(?:{_ZONE}|UTC|GMT)?"
# journalctl's short-iso, short-full and short-unix. A process needs its number here, as a word before a colon may belong to the message.
_LONG = rf"\d{{4}}-\d\d-\d\dT{_CLOCK}{_ZONE}|[A-Z][a-z]{{2}} \d{{4}}-\d\d-\d\d {_CLOCK} [A-Z]{{2,5}}|\d{{9,11}}\.\d{{3,6}}"
_HOST = rf"(?!(?:{_LEVEL})\b)[^\s:\[\]|]+"

_SYSLOG = re.compile(
    rf"(?:<(?P<pri>\d{{1,3}})>)?"
    rf"(?:(?P<short>{_SHORT}) +(?P<short_host>{_HOST}) (?P<short_process>[^\s\[:]+(?:\[\d+\])?)"
    rf"|(?P<long>{_LONG}) +(?P<long_host>{_HOST}) (?P<long_process>[^\s\[:]+\[\d+\]|kernel))"
    r":(?: (?P<message>.*))?$",
    re.ASCII | re.DOTALL,
)
_RFC5424 = re.compile(
    rf"<(?P<pri>\d{{1,3}})>\d{{1,2}} (?P<time>{_ISO}) ?(?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: \ufeff?(?P<message>.*))?",
    re.ASCII | re.DOTALL,
)
# Python's loggers are named like modules; a capitalised word before a colon belongs to the message.
_LOGGER = r"(?=[a-z_]|\w+\.)[\w.]+(?::[\w<>.]+:\d+)?"
_TIMED = re.compile(rf"\[?(?P<time>{_ISO})\]?(?:[ |:-]+(?P<rest>.*))?$", re.ASCII | re.DOTALL)
_BASIC = re.compile(rf"(?P<level>{_LEVEL}):(?:(?P<logger>[\w.]+):| {{2,}})(?P<message>.*)", re.DOTALL)
# Forms of logger and level between time and message; the first match is used.
_HEADS = tuple(
    re.compile(head + r"(?P<message>.*)", re.DOTALL)
    for head in (
        rf"(?P<logger>[\w.]+) - (?P<level>{_LEVEL}) - ",
        rf"(?:\[\d+\] )?\[?(?P<level>{_LEVEL})\]? *(?:\||-|:|in)? *(?P<logger>{_LOGGER})(?: - | \| |: )",
        rf"(?:\[\d+\] )?\[?(?P<level>{_LEVEL})\]?(?: *[|:-])?(?: +|$)",
    )
)
_LEVEL_NEAR = re.compile(_LEVEL)
_NOTE = re.compile(r"-- (?:Boot |Reboot|Journal begins|Logs begin|No entries|cursor:)")


class Line(NamedTuple):
    """A line that has a time or a sender. `time`: as written, "" for none; `level`: Python's, None where it has none."""

    time: str
    message: str
    level: int | None = None
    logger: str = ""
    host: str = ""
    process: str = ""


def read(text: str) -> Line | None:
    """Parse a line, without its line break; None if it has no head. Never raises."""
    head = _SYSLOG.match(text) or (_RFC5424.match(text) if text.startswith("<") else None)
    if head:
        return _with_host(head)
    timed = _TIMED.match(text)
    if timed:
        return _inner(timed["time"].rstrip(), timed["rest"] or "")
    basic = _BASIC.match(text)
    return Line("", basic["message"], _LEVELS[basic["level"]], basic["logger"] or "") if basic else None


def _with_host(head: re.Match[str]) -> Line:
    parts = {name.removeprefix("short_").removeprefix("long_"): text for name, text in head.groupdict().items() if text is not None}
    time = parts.get("time") or parts.get("short") or parts["long"]
    process = parts.get("process") or (parts["app"] if parts["pid"] == "-" else f"{parts['app']}[{parts['pid']}]")
    severity = _SEVERITIES[int(parts["pri"]) % 8] if "pri" in parts else None
    return _inner(time, parts.get("message", ""), severity, parts["host"], process)


def _inner(time: str, message: str, level: int | None = None, host: str = "", process: str = "") -> Line:
    """A message may have a head of Python's logging too, whose time is redundant."""
    if host and message[:1].isdigit() and (timed := _TIMED.match(message)):
        message = timed["rest"] or ""
    heads = (pattern.match(message) for pattern in (_BASIC, *_HEADS)) if _LEVEL_NEAR.search(message, 0, _HEAD_CHARS) else ()
    head = next((head for head in heads if head), None)
    if head is None:
        return Line(time, message, level, "", host, process)
    parts = head.groupdict()
    return Line(time, parts["message"], _LEVELS[parts["level"]], parts.get("logger") or "", host, process)


class Kind(Choice):
    ORDINARY = "", "Other"
    RATE_LIMITED = "rate_limited", "Rate limit, with a wait"
    TIMEOUT = "timeout", "Task timed out"
    TASK = "task", "Task"
    FALLBACK = "fallback", "Template answered"
    LLM_SUCCESS = "llm_success", "LLM answered"
    ERROR = "error", "Error"


_TASK = r"(?P<task>[\w.:/-]*\w)"
_NUMBER = r"\d+(?:\.\d+)?"
_SECONDS = rf"(?P<seconds>{_NUMBER}) ?s"
_WAIT = rf"wait(?:ing)? (?:for )?(?P<wait_seconds>{_NUMBER}) ?s"
# The first match is used. Named groups are facts; those in the third column are added unchanged.
_TABLE: tuple[tuple[Kind, str, Mapping[str, Any]], ...] = (
    (Kind.TIMEOUT, rf"\btask {_TASK} timed out after {_SECONDS}", {}),
    (Kind.TIMEOUT, rf"timed out after {_SECONDS}(?:econds)? for task {_TASK}", {}),
    (Kind.FALLBACK, r"fall(?:ing|s|en)? ?back to (?:the )?template|fell back to (?:the )?template|using template fallback", {}),
    (Kind.FALLBACK, rf"returned for task {_TASK}, generating fallback actions", {}),
    (Kind.FALLBACK, r"the template agent answers|a plain answer goes out", {}),
    (Kind.RATE_LIMITED, rf"rate.?limited \(attempt (?P<attempt>\d+).*?\b{_WAIT}", {}),
    (Kind.RATE_LIMITED, rf"rate.?limited\b.*?\b{_WAIT}(?:.*?\battempt (?P<attempt>\d+))?", {}),
    (Kind.RATE_LIMITED, rf"backoff: {_WAIT}(?:.*?\battempt (?P<attempt>\d+))?", {}),
    (Kind.RATE_LIMITED, rf"\baccount (?P<account>[\w-]+) paused for (?P<wait_seconds>{_NUMBER}) s", {}),
    (Kind.RATE_LIMITED, r"\brate.?limited\b|\(429\)|(?:status|http/[\d.]+|http|error|code)[ :=\"]{1,2}429\b|429 too many", {}),
    (Kind.LLM_SUCCESS, r"chutes api success(?: after (?P<retries>\d+))?", {}),
    (Kind.LLM_SUCCESS, r"\bllm generated (?P<actions>\d+) actions", {}),
    (Kind.LLM_SUCCESS, r"\bllm (?:call |request )?succe(?:ss|eded)", {}),
    (Kind.LLM_SUCCESS, r"/chat/completions\S* \"?http/[\d.]+ 200", {}),
    (Kind.TASK, rf"\bsolve_task called: id={_TASK}", {"event": "started"}),
    (Kind.TASK, rf"(?:processing|received|starting|new) task:? (?=\S*[\d-]){_TASK}", {"event": "started"}),
    (Kind.TASK, rf"\btask {_TASK} (?:started|received|accepted)\b", {"event": "started"}),
    (Kind.TASK, rf"returning response: task_id={_TASK}, actions_count=(?P<actions>\d+)", {"event": "finished"}),
    (Kind.TASK, rf"\btask {_TASK} (?:completed|finished|done|solved|succeeded)\b(?:.*? in {_SECONDS})?", {"event": "finished"}),
    (Kind.TASK, r"\"post /(?:solve_task(?:_at_once)?|act|step)[ ?][^\"]*\"\W{1,3}(?P<status>\d{3})", {"event": "finished"}),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE), fixed) for kind, pattern, fixed in _TABLE)
# A line without any of these words matches nothing above. Most lines have none, and this check is five times as fast.
_HINT = re.compile(r"limited|backoff|429|timed out|back|template|answer|paused|success|succeed|llm|completions|task|post /", re.IGNORECASE)
_NUMBERS = {"seconds": float, "wait_seconds": float, "attempt": int, "actions": int, "retries": int, "status": int}
_NAMED = r"Error|Exception|Exit|Interrupt|Timeout|Refused|Warning|[A-Z]\w+"
_EXCEPTION = re.compile(rf"^(?P<error>[A-Za-z_][\w.]*(?:{_NAMED}))(?::|$)", re.MULTILINE)
_WENT_WELL = (Kind.TASK, Kind.LLM_SUCCESS)  # an error that mentions a task is not one of these: "Error processing task …"
_READ_CHARS = 1_000  # the beginning of a line is enough, and keeps the search linear


def meaning(message: str, level: int) -> tuple[Kind, dict[str, Any]]:
    """The kind of a message and its facts, numbers converted. From level ERROR up it is an error at least."""
    head = message[:_READ_CHARS].partition("\n")[0]
    if _HINT.search(head):
        matches = ((kind, pattern.search(head), fixed) for kind, pattern, fixed in _PATTERNS)
        kind, match, fixed = next((candidate for candidate in matches if candidate[1]), (Kind.ORDINARY, None, {}))
        if match and not (level >= logging.ERROR and kind in _WENT_WELL):
            facts = {name: _NUMBERS.get(name, str)(text) for name, text in match.groupdict().items() if text is not None}
            return kind, {**fixed, **facts}
    if level < logging.ERROR and TRACEBACK not in message:
        return Kind.ORDINARY, {}
    # The class of the exception that a traceback ends with.
    _, mark, traceback = message.rpartition(TRACEBACK)
    names = [match["error"] for match in _EXCEPTION.finditer(traceback)] if mark else []
    return Kind.ERROR, {"error": names[-1]} if names else {}


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
A_DAY = timedelta(days=1)

_WITHOUT_YEAR = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?", re.ASCII)
_WITH_YEAR = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.ASCII)


class Calendar:
    """Converts the times of successive lines. `year`: of the first line without one; `zone`: of times without one.

    If such a line goes back by more than a day, the next year has begun, unless that would be in the future of `now`: then lines are out of
    order.
    """

    def __init__(self, year: int, zone: tzinfo, now: datetime) -> None:
        self._year, self._zone, self._latest = year, zone, now + A_DAY
        self._before: datetime | None = None
        self._text, self._moment = "", datetime.min.replace(tzinfo=UTC)

    def moment(self, text: str) -> datetime | None:
        if text != self._text:
            try:
                match = _WITHOUT_YEAR.match(text)
                self._text, self._moment = text, self._in_order(match) if match else _dated(text, self._zone)
            except (ValueError, OverflowError):
                return None
        return self._moment

    def _in_order(self, match: re.Match[str]) -> datetime:
        before, moment = self._before, _in_year(match, self._year, self._zone)
        if before and moment < before - A_DAY:
            later = _in_year(match, self._year + 1, self._zone)
            if later <= self._latest:
                self._year, moment = self._year + 1, later
        elif before and moment > before + A_DAY:
            # 31 December among the first lines of January
            earlier = _in_year(match, self._year - 1, self._zone)
            if before - A_DAY <= earlier:
                return earlier
        self._before = moment
        return moment


def first_year(head: list[str], tail: list[str], now: datetime, zone: tzinfo) -> int:
    """The year of a file's first line. `head`, `tail`: the times of its first and last lines, as written, at most a year apart."""
    first, last = (next((match for text in texts if (match := _WITHOUT_YEAR.match(text))), None) for texts in (head, tail[::-1]))
    if first is None or last is None:
        return now.year
    # 29 February may be up to eight years back.
    for year in range(now.year, now.year - 9, -1):
        try:
            if (end := _in_year(last, year, zone)) <= now + A_DAY:
                return year if _in_year(first, year, zone) <= end + A_DAY else year - 1
        except ValueError:
            continue
    return now.year


def _in_year(match: re.Match[str], year: int, zone: tzinfo) -> datetime:
    month, day, hour, minute, second, fraction = match.groups()
    microsecond = int(f"{fraction or '':0<6.6}")
    local = datetime(year, _MONTHS.get(month, 0), int(day), int(hour), int(minute), int(second), microsecond, tzinfo=zone)
    return local.astimezone(UTC)


def _dated(text: str, zone: tzinfo) -> datetime:
    match = _WITH_YEAR.fullmatch(text.rstrip()) or _WITH_YEAR.match(text)
    if match is None:
        return datetime.fromtimestamp(float(text), UTC)
    day, clock, fraction, offset = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}.{fraction or '':0<6.6}{'+00:00' if offset in ('Z', 'UTC', 'GMT') else offset or ''}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


MOST_LINES, MOST_CHARS = 200, 32_000  # a traceback is shorter; longer text without a head is no known log format
_REMEMBERED = 50_000  # counts of identical lines; further apart than this many kept lines they are not in the same second
SAMPLES, SAMPLE_CHARS = 20, 600  # unreadable lines that are kept, and characters of each


class Record(NamedTuple):
    """`at`: the time of the import if neither the record nor an earlier one has a time."""

    at: datetime
    level: int
    logger: str
    message: str
    host: str
    process: str
    kind: Kind
    facts: Mapping[str, Any]
    digest: bytes


@dataclass(slots=True)
class _Pending:
    line: Line
    at: datetime | None
    in_traceback: bool
    more: list[str] = field(default_factory=list)
    chars: int = 0

    def append(self, text: str) -> bool:
        if len(self.more) >= MOST_LINES or self.chars + len(text) > MOST_CHARS:
            return False
        self.more.append(text)
        self.chars += len(text)
        self.in_traceback = text.startswith(TRACEBACK) or (self.in_traceback and (text[:1].isspace() or not text))
        return True

    def continues_with(self, line: Line) -> bool:
        """Whether a line with a journal's head belongs to this record, as a traceback has a head on each line."""
        if line.level is not None or line.process != self.line.process or line.host != self.line.host or not line.process:
            return False
        return self.in_traceback or line.message.startswith((TRACEBACK, "  "))


@dataclass
class Records:
    """Reads lines in the order of the log. `now`: for records without any time before them. `unread`: lines that can't be parsed."""

    calendar: Calendar
    now: datetime
    lines: int = 0
    unread: int = 0
    samples: list[str] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None
    _pending: _Pending | None = None
    _seen: OrderedDict[bytes, int] = field(default_factory=OrderedDict)

    def read(self, lines: Iterable[str]) -> Iterator[Record]:
        for text in lines:
            self.lines += 1
            line = read(text)
            if line:
                yield from self._begun(line, text)
            elif text.strip() and not _NOTE.match(text) and not (self._pending and self._pending.append(text)):
                self._not_read(text)

    def end(self) -> Iterator[Record]:
        pending, self._pending = self._pending, None
        if pending is None:
            return
        line = pending.line
        message = "\n".join([line.message, *pending.more])
        level = logging.INFO if line.level is None else line.level
        kind, facts = meaning(message, level)
        if kind is Kind.ERROR:
            level = max(level, logging.ERROR)
        if kind is not Kind.ORDINARY:
            digest = self._digest(pending.at, line, message)
            yield Record(pending.at or self.now, level, line.logger, message, line.host, line.process, kind, facts, digest)

    def _begun(self, line: Line, text: str) -> Iterator[Record]:
        pending = self._pending
        if pending and pending.continues_with(line) and pending.append(line.message):
            return
        at = self.calendar.moment(line.time) if line.time else self.last_at
        if line.time and at is None:
            self._not_read(text)
            return
        yield from self.end()
        self._pending = _Pending(line, at, line.message.startswith(TRACEBACK))
        self.last_at = at or self.last_at
        self.first_at = self.first_at or at

    def _not_read(self, text: str) -> None:
        self.unread += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(text[:SAMPLE_CHARS])

    def _digest(self, at: datetime | None, line: Line, message: str) -> bytes:
        """Identifies a record, so that a second import of its line is skipped. Repeats within a second differ by their ordinal."""
        parts = (at.isoformat() if at else "", line.host, line.process, message)
        same = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        ordinal = self._seen.pop(same, -1) + 1
        self._seen[same] = ordinal
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return hashlib.blake2b(same + ordinal.to_bytes(8, "big"), digest_size=16).digest()
