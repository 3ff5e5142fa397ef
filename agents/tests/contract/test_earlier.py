"""A caller's history and our records of the task: matched where they agree, unchanged elsewhere."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.contract.earlier import Earlier, chain, completed
from agents.contract.limits import MAX_HISTORY
from agents.contract.protocol import Form, PastAction, Step

URL = "http://localhost:8000/?seed=58"


def by(name: str) -> dict[str, str]:
    return {"type": "attributeValueSelector", "attribute": "id", "value": name}


def click(name: str) -> dict[str, Any]:
    return {"type": "ClickAction", "selector": by(name)}


def typed(name: str, text: str) -> dict[str, Any]:
    return {"type": "TypeAction", "selector": by(name), "text": text}


WAIT = {"type": "WaitAction", "time_seconds": 0.5}


def record(index: int, *sent: dict[str, Any], before: int | None = None, **more: Any) -> Earlier:
    words = ["" if action is WAIT else f"{action['type']} {action['selector']['value']}" for action in sent]
    size = index if before is None else before
    fields: dict[str, Any] = {"pk": index + 1, "index": index, "history_size": size, "received_at": 0.0, "actions": sent, "words": words}
    return Earlier(**fields | more)


def unseen(sent: dict[str, Any], number: int, **more: Any) -> PastAction:
    fields = {"text": sent["text"]} if "text" in sent else {}
    return PastAction(**{"type": sent["type"], "fields": fields, "succeeded": True, "error": "", "url": "", "number": number} | more)


def seen(sent: dict[str, Any]) -> PastAction:
    return PastAction(sent["type"], {name: value for name, value in sent.items() if name != "type"}, True, "", URL)


def step(*history: PastAction, index: int | None = None) -> Step:
    return Step("/step", Form.STEP, "t", "Go", URL, "", len(history) if index is None else index, history)


def texts(made: Step) -> list[str | None]:
    return [entry.words for entry in made.history]


def test_selectors_that_the_caller_leaves_out_come_from_the_records() -> None:
    sent = [typed("name", "Ann"), WAIT, click("send")]
    made = completed(step(unseen(sent[0], 0), unseen(sent[2], 1)), [record(0, *sent), record(1, sent[2], effect="URL /done")])
    assert texts(made) == ["TypeAction name", "ClickAction send"]
    assert [entry.fields.get("selector") for entry in made.history] == [by("name"), by("send")]
    assert [entry.effect for entry in made.history] == ["", "URL /done"]
    assert all(entry.is_completed for entry in made.history)


def test_how_far_a_learned_solution_came_is_on_record() -> None:
    sent = [typed("name", "Ann"), WAIT, click("send")]
    records = [record(0, *sent, limits={"solution": 7, "reached": [1, 0, 2]})]
    made = completed(step(seen(sent[0]), seen(sent[2]), index=1), records)
    assert [entry.learned for entry in made.history] == [(7, 1), (7, 2)]


def test_an_entry_that_does_not_fit_the_record_stays_as_it_is() -> None:
    for entry in (
        unseen(typed("name", "Bob"), 0),
        unseen(click("name"), 0),
        replace(seen(typed("other", "Ann")), url=""),
        PastAction("", {}, None, "", "", 0),
    ):
        (made,) = completed(step(entry), [record(0, typed("name", "Ann"))]).history
        assert (made.type, made.fields, made.words) == (entry.type, entry.fields, None), entry


def test_a_placeholder_that_the_caller_filled_in_is_the_same_text() -> None:
    (made,) = completed(step(unseen(typed("name", "ann7"), 0)), [record(0, typed("name", "<username>"))]).history
    assert (made.words, made.fields["text"]) == ("TypeAction name", "ann7")


def test_steps_that_are_not_on_record_leave_a_gap_and_shift_nothing() -> None:
    sent = [click("a"), click("b"), click("c")]
    history = [unseen(action, at) for at, action in enumerate(sent)]
    made = completed(step(*history), [record(0, sent[0]), record(2, sent[2])])
    assert texts(made) == [None, None, "ClickAction c"], "which of the first two entries belongs to the first step is unknown"


def test_a_press_before_a_wait_led_to_the_page_that_is_there_now() -> None:
    sent, old = [typed("name", "Ann"), click("send"), WAIT], URL.replace("/?", "/old?")
    history = [replace(seen(action), url="") for action in sent]
    made = completed(step(*history, index=1), [record(0, *sent, url=old)])
    assert [entry.url for entry in made.history] == [old, URL, URL]


def test_the_effect_of_several_actions_is_shown_with_the_last_one() -> None:
    sent = [typed("name", "Ann"), WAIT, click("send"), WAIT]
    history = [seen(sent[0]), seen(WAIT), seen(sent[2]), seen(WAIT)]
    made = completed(step(*history, index=1), [record(0, *sent, effect="2 items, 1 before")])
    assert [entry.effect for entry in made.history] == ["", "", "2 items, 1 before", ""]


def test_the_effect_is_not_shown_with_an_action_that_failed() -> None:
    sent = [click("add"), click("cart")]
    made = completed(step(seen(sent[0]), replace(seen(sent[1]), succeeded=False), index=1), [record(0, *sent, effect="1 items, 0 before")])
    assert [entry.effect for entry in made.history] == ["1 items, 0 before", ""]
    made = completed(step(replace(seen(sent[0]), succeeded=False), index=1), [record(0, sent[0], effect="new text")])
    assert [entry.effect for entry in made.history] == ["new text"], "while it was tried, the page changed"


def test_what_the_browser_did_not_run_of_a_models_reply_is_noted() -> None:
    sent = [typed("name", "Ann"), WAIT, click("send")]
    history = step(unseen(sent[0], 0))
    assert completed(history, [record(0, *sent, route="llm", notes=["No element 99."])]).notes == (
        "No element 99.",
        "The browser stopped before: ClickAction send",
    )
    assert completed(history, [record(0, *sent, route="template")]).notes == ()


def test_a_caller_without_a_history_gets_the_first_action_of_each_step_as_not_reported() -> None:
    made = completed(step(index=2), [record(0, WAIT, click("a"), before=0), record(1, click("b"), click("c"), before=0)])
    assert [(entry.words, entry.succeeded) for entry in made.history] == [("ClickAction a", None), ("ClickAction b", None)]


def test_of_a_repeated_task_the_newest_run_counts() -> None:
    old = [record(at, click("old"), pk=at + 1) for at in range(4)]
    new = [record(at, click("new"), pk=at + 10) for at in range(2)]
    newest_first = sorted([*old, *new], key=lambda row: (-row.index, -row.pk))
    run = chain([row for row in newest_first if row.index < 2], 2, 2)
    assert [row.pk for row in run] == [10, 11]


def test_a_step_that_was_answered_differently_twice_has_no_actions() -> None:
    rows = [record(1, click("b"), pk=3), record(1, click("c"), pk=2), record(0, click("a"), pk=1)]
    assert [list(row.actions) for row in chain(rows, 2, 2)] == [[click("a")], []]
    same = [rows[0], replace(rows[0], pk=2), rows[2]]
    assert [list(row.actions) for row in chain(same, 2, 2)] == [[click("a")], [click("b")]]


def test_a_caller_without_step_numbers_is_followed_by_the_length_of_its_history() -> None:
    rows = [record(0, click(str(size)), pk=size + 1, before=size) for size in (2, 1, 0)]
    assert [row.history_size for row in chain(rows, 0, 3)] == [0, 1, 2]
    history = [unseen(click(str(at)), at) for at in range(3)]
    assert texts(completed(step(*history, index=0), chain(rows, 0, 3))) == ["ClickAction 0", "ClickAction 1", "ClickAction 2"]


ACTIONS = st.sampled_from([click("a"), click("b"), typed("n", "Ann"), typed("m", "Bob"), typed("p", "<password>"), WAIT])


@given(st.lists(st.lists(ACTIONS, max_size=4), max_size=6), st.booleans(), st.booleans())
def test_a_caller_that_runs_all_or_first_actions_gets_exactly_those_that_were_sent(
    plans: list[list[dict[str, Any]]], first_only: bool, is_unseen: bool
) -> None:
    history, ran, records = list[PastAction](), list[dict[str, Any]](), list[Earlier]()
    for index, sent in enumerate(plans):
        records.append(record(index, *sent, before=len(history)))
        for action in sent[: 1 if first_only else None]:
            ran.append(action)
            history.append(unseen(action, index) if is_unseen else seen(action))
    made = completed(step(*history, index=len(plans)), records)
    if history:
        assert [(entry.type, entry.fields.get("selector")) for entry in made.history] == [
            (action["type"], action.get("selector")) for action in ran
        ]
        assert [entry.succeeded for entry in made.history] == [True] * len(ran)


ENTRIES = st.builds(
    PastAction,
    st.sampled_from(["ClickAction", "TypeAction", "WaitAction", ""]),
    st.sampled_from([{}, {"text": "Ann"}, {"selector": by("a")}, {"selector": by("z"), "text": "x"}]),
    st.sampled_from([True, False, None]),
    st.sampled_from(["", "Timeout"]),
    st.just(""),
    st.none() | st.integers(0, 12),
)
RECORDS = st.lists(st.builds(record, st.integers(0, 12), ACTIONS, ACTIONS, before=st.integers(0, 12), pk=st.integers(1, 99)), max_size=14)


@given(st.lists(ENTRIES, max_size=14), RECORDS, st.integers(0, 14))
def test_records_never_contradict_the_callers_history(history: list[PastAction], records: Sequence[Earlier], index: int) -> None:
    rows = sorted(records, key=lambda row: (-row.index, -row.pk))
    made = completed(step(*history, index=index), chain(rows, index, len(history)))
    if not history:
        return
    assert len(made.history) == len(history)
    for entry, own in zip(made.history, history, strict=True):
        assert (entry.type, entry.succeeded, entry.error, entry.number) == (own.type, own.succeeded, own.error, own.number)
        assert own.fields.items() <= entry.fields.items()
        if "selector" in own.fields and entry.words:
            assert entry.words.endswith(own.fields["selector"]["value"])


def test_the_longest_history_is_unchanged() -> None:
    history = [unseen(click("a"), at) for at in range(MAX_HISTORY)]
    longest = step(*history)
    assert completed(longest, [record(at, click("a")) for at in range(36)]).history is longest.history
