"""The filter bar's language."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agents.tests.rows import rows
from monitoring.reporting.filter_query import MAX_CONDITIONS, TEXT, Condition, Kind, Qualifier, Query, moment, parse

QUALIFIERS = (
    Qualifier("route", Kind.CHOICE, "Who answered", ("llm", "template")),
    Qualifier("project", Kind.NAME, "Project", ("autocinema",)),
    Qualifier("status", Kind.STATUS, "Status"),
    Qualifier("caller", Kind.ADDRESS, "Address"),
    Qualifier("since", Kind.TIME, "From"),
    Qualifier("until", Kind.TIME, "To"),
)
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
# Characters with a meaning in the language are frequent.
LINES = st.text(st.one_of(st.sampled_from('"\\-: '), st.characters()), max_size=60)
WRITTEN = st.lists(
    st.one_of(
        LINES,
        st.sampled_from(["route:llm", "-route:TEMPLATE", "since:2h", "until:2026-05-04", "status:429", 'project:"a b"', "caller:::1"]),
    ),
    max_size=8,
).map(" ".join)


# The first draw of a process builds the table of all characters, which may take seconds on a busy machine.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(text: str) -> Query:
    return parse(text, QUALIFIERS)


def faults(text: str) -> str:
    return " ".join(read(text).faults)


def test_conditions_are_read_in_order() -> None:
    assert read('route:template -project:autocinema status:429 since:2h "Find the film"').conditions == (
        Condition("route", "template"),
        Condition("project", "autocinema", is_negated=True),
        Condition("status", "429"),
        Condition("since", "2h"),
        Condition(TEXT, "Find the film"),
    )


@rows(
    ("written", "condition"),
    [
        ("ROUTE:LLM", Condition("route", "llm")),
        ("arrival", Condition(TEXT, "arrival")),
        ("-arrival", Condition(TEXT, "arrival", is_negated=True)),
        ('-"two words"', Condition(TEXT, "two words", is_negated=True)),
        (r'"say \"hi\" \\ there"', Condition(TEXT, r'say "hi" \ there')),
        ('"never closed', Condition(TEXT, "never closed")),
        ("http://localhost:8000/?seed=5", Condition(TEXT, "http://localhost:8000/?seed=5")),
        ('"route:llm"', Condition(TEXT, "route:llm")),
        ('project:"my project"', Condition("project", "my project")),
        ("caller:2001:DB8::1", Condition("caller", "2001:db8::1")),
        ("until:2026-05-04T08:30", Condition("until", "2026-05-04T08:30")),
    ],
)
def test_a_word_means(written: str, condition: Condition) -> None:
    assert (read(written).conditions, read(written).faults) == ((condition,), ())


@rows(
    ("written", "remedy"),
    [
        ("since:yesterday", "since: write 30m, 2h or 7d, or a time such as 2026-05-04T12:00, with a Z at the end for UTC."),
        ("since:2026-13-40", "since: write 30m, 2h or 7d"),
        ("until:2026-W19", "until: write 30m, 2h or 7d"),
        ("status:abc", "status: write a status code from 100 to 599, such as 429."),
        ("status:9999", "status: write a status code"),
        ("caller:here", "caller: write an IP address, such as 203.0.113.7."),
        ("route:lmm", "route: write llm? Or one of llm, template."),
        ("route:", "route: write one of llm, template."),
        ("project:", "project: write a name, such as autocinema."),
        ("rout:llm", "There is no “rout:”. Did you mean route:? Write one of route, project"),
        ("zzzz:1", "There is no “zzzz:”. Write one of route, project, status, caller, since, until; for the text itself put it in quotes."),
        ("-since:2h", "since: a time can't be negated; write until: instead."),
        ("-", "A text to search for is empty"),
        ('""', "A text to search for is empty"),
    ],
)
def test_an_invalid_condition_is_reported_with_the_remedy_and_ignored(written: str, remedy: str) -> None:
    assert remedy in faults(written)
    assert read(f"{written} ").conditions == ()
    assert read(f"route:llm {written}").conditions == (Condition("route", "llm"),)


def test_further_conditions_than_the_limit_are_cut_with_a_fault() -> None:
    many = read(" ".join(f"w{number}" for number in range(MAX_CONDITIONS + 5)))
    assert len(many.conditions) == MAX_CONDITIONS
    assert many.faults == (f"Only the first {MAX_CONDITIONS} conditions are applied: remove some.",)


def test_a_distance_counts_from_now_and_a_time_is_utc() -> None:
    assert moment("90m", NOW) == NOW - timedelta(minutes=90)
    assert moment("7d", NOW) == NOW - timedelta(days=7)
    assert moment("2026-05-01", NOW) == datetime(2026, 5, 1, tzinfo=UTC)
    assert moment("2026-05-01T08:30", NOW) == datetime(2026, 5, 1, 8, 30, tzinfo=UTC)


def test_a_condition_is_replaced() -> None:
    query = read("state route:llm -route:template film")
    assert str(query.with_only("route", "template")) == "state film route:template"
    assert str(query.without("route")) == "state film"
    assert query.has("state", TEXT) and query.has("route") and not query.has("outcome")
    assert query.values("route") == ["llm"]
    assert query.values("route", negated=True) == ["template"]


@patiently
@given(WRITTEN)
def test_no_text_raises_and_a_parsed_line_parses_to_the_same(text: str) -> None:
    query = read(text)
    again = read(str(query))
    assert again.conditions == query.conditions
    assert again.faults == ()
    for name in ("since", "until"):
        assert all(moment(value, NOW).tzinfo for value in query.values(name))


@patiently
@given(
    st.lists(
        st.builds(Condition, st.sampled_from([TEXT, "project"]), st.text(min_size=1, max_size=20).filter(str.strip), st.booleans()),
        max_size=5,
    )
)
@example([Condition("project", "//", False)])
def test_any_text_can_be_written_as_a_condition(conditions: list[Condition]) -> None:
    storable = tuple(dict.fromkeys(condition for condition in conditions if "\0" not in condition.value and condition.value.isprintable()))
    assert read(str(Query(storable))).conditions == storable
