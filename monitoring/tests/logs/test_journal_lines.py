"""One line of a log, in each form that loggers write."""

from hypothesis import given
from hypothesis import strategies as st

from agents.tests.rows import rows
from monitoring.logs.journal import Line, read

LIMITED = "Chutes API rate limited (429). Exponential backoff: Waiting 60s before retry (attempt 1)..."
AT = "2026-11-18 16:27:28"


@rows(
    ("text", "line"),
    [
        (
            f"Nov 18 16:27:28 autoppia-miner python3[133676]: WARNING:root:{LIMITED}",
            Line("Nov 18 16:27:28", LIMITED, 30, "root", "autoppia-miner", "python3[133676]"),
        ),
        ("Nov  8 06:27:28.123456 h python3[1]: m: n", Line("Nov  8 06:27:28.123456", "m: n", None, "", "h", "python3[1]")),
        ("Nov 18 16:27:28 h kernel: oom", Line("Nov 18 16:27:28", "oom", None, "", "h", "kernel")),
        ("Nov 18 16:27:28 h p[1]:", Line("Nov 18 16:27:28", "", None, "", "h", "p[1]")),
        ("<34>Nov 18 16:27:28 h su: no", Line("Nov 18 16:27:28", "no", 50, "", "h", "su")),
        ("2026-11-18T16:27:28+0100 h p[1]: ERROR:a.b:m", Line("2026-11-18T16:27:28+0100", "m", 40, "a.b", "h", "p[1]")),
        ("2026-11-18T16:27:28.123456+01:00 h p[1]: m", Line("2026-11-18T16:27:28.123456+01:00", "m", None, "", "h", "p[1]")),
        ("Tue 2026-11-18 16:27:28 CET h unit[12]: m", Line("Tue 2026-11-18 16:27:28 CET", "m", None, "", "h", "unit[12]")),
        ("1763483248.123456 h p[1]: m", Line("1763483248.123456", "m", None, "", "h", "p[1]")),
        (
            '<28>1 2026-11-18T16:27:28.003Z host app 123 ID47 [a@1 x="y]"][b] \ufeffERROR:root:m',
            Line("2026-11-18T16:27:28.003Z", "m", 40, "root", "host", "app[123]"),
        ),
        ("<28>1 2026-11-18T16:27:28Z host app - - - m", Line("2026-11-18T16:27:28Z", "m", 30, "", "host", "app")),
        (f"{AT},123 WARNING root: Task x timed out", Line(f"{AT},123", "Task x timed out", 30, "root")),
        (f"{AT},123 INFO root: value: 3", Line(f"{AT},123", "value: 3", 20, "root")),
        (f"{AT},123 - a.b - ERROR - m - n", Line(f"{AT},123", "m - n", 40, "a.b")),
        (f"{AT},123 - INFO - m", Line(f"{AT},123", "m", 20)),
        (f"{AT},123 [WARNING] m", Line(f"{AT},123", "m", 30)),
        (f"{AT},123 WARNING Failed: m", Line(f"{AT},123", "Failed: m", 30)),
        (f"{AT} Failed: m", Line(AT, "Failed: m")),
        (f"{AT}.123 | WARNING  | a.b:f:12 - m", Line(f"{AT}.123", "m", 30, "a.b:f:12")),
        (f"{AT}.123 |     INFO     | bittensor:axon.py:1 | m", Line(f"{AT}.123", "m", 20, "bittensor:axon.py:1")),
        (f"[{AT} +0000] [123] [INFO] Booting", Line(f"{AT} +0000", "Booting", 20)),
        (f"[{AT},123] ERROR in app: m", Line(f"{AT},123", "m", 40, "app")),
        ("2026-11-18T16:27:28.123456789Z ERROR:root:m", Line("2026-11-18T16:27:28.123456789Z", "m", 40, "root")),
        (f"Nov 18 16:27:28 h p[1]: {AT},123 - root - WARNING - m", Line("Nov 18 16:27:28", "m", 30, "root", "h", "p[1]")),
        ("WARNING:api.endpoints:Task t timed out", Line("", "Task t timed out", 30, "api.endpoints")),
        ('INFO:     127.0.0.1:1 - "POST /act HTTP/1.1" 200 OK', Line("", '127.0.0.1:1 - "POST /act HTTP/1.1" 200 OK', 20)),
    ],
)
def test_a_line_with_a_head_is_read(text: str, line: Line) -> None:
    assert read(text) == line


@rows(
    "text",
    [
        "",
        "  File 'x.py', line 3, in f",
        "Traceback (most recent call last):",
        "ValueError: bad",
        "INFO",
        "Nov 18",
        "{'a': 1}",
        "\ufffd" * 9,
    ],
)
def test_a_line_without_a_head_continues_the_one_before(text: str) -> None:
    assert read(text) is None


@given(st.text())
def test_no_line_is_a_fault(text: str) -> None:
    read(text)


HEADS = (
    "Nov 18 16:27:28 h p[1]: WARNING:root:",
    "2026-11-18T16:27:28Z h p[1]: ",
    f"{AT},123 ERROR a.b: ",
    "INFO:root:",
    "<28>1 2026-11-18T16:27:28Z h p 1 - - ",
)


@given(st.sampled_from(HEADS), st.text())
def test_a_parsed_line_keeps_its_message(head: str, message: str) -> None:
    result = read(head + message)
    assert isinstance(result, Line)
    assert message.endswith(result.message.strip()) or result.message == message
    if (
        not any(level in message for level in ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "FATAL", "TRACE", "SUCCESS"))
        and not message[:1].isdigit()
    ):
        assert result.message == message.removeprefix("\ufeff" if head[0] == "<" else "")


@given(st.text(alphabet='aA1:-[]<>| .T/+Z"\\', max_size=3_000))
def test_odd_lines_take_no_long_time(text: str) -> None:
    read(text)
    read("Nov 18 16:27:28 h p[1]: " + text)
    read("<28>1 2026-11-18T16:27:28Z h p 1 - [" + text)
