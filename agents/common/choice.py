from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """An enum whose members are written as NAME = value, sentence. The sentence is for operators."""

    sentence: str

    def __new__(cls, value: str, sentence: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member
