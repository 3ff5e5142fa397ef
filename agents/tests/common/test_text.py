from hypothesis import given
from hypothesis import strategies as st

from agents.common.text import length, shorten, storable, storable_json


@given(st.text(st.characters()))
def test_any_text_becomes_one_that_utf8_and_postgres_accept(text: str) -> None:
    stored = storable(text)
    stored.encode()
    assert "\0" not in stored
    assert storable(stored) == stored


def test_halves_of_one_character_are_joined_and_a_lone_one_is_replaced() -> None:
    assert storable("\ud83d\ude00 \ud83d") == "😀 \ufffd"


def test_an_ordinary_text_is_unchanged() -> None:
    assert storable("Füße & <username>\n") == "Füße & <username>\n"


def test_a_json_value_is_cleaned_in_keys_and_values_and_cut_where_it_nests_too_deep() -> None:
    assert storable_json({"a\0": ["\ud800", 1, None]}) == {"a\ufffd": ["\ufffd", 1, None]}
    assert storable_json([[[1]]], depth=2) == [[None]]


def test_a_long_text_is_shortened_to_the_length() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


def test_a_duration_is_shown_in_its_two_largest_units() -> None:
    assert [length(seconds) for seconds in (0, 59.6, 192, 3_600, 90_061)] == ["0 s", "1 min", "3 min 12 s", "1 h", "1 d 1 h"]
