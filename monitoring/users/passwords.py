"""Validators of passwords that are guessed first, besides Django's own."""

from itertools import pairwise

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

FEWEST_DIFFERENT = 5  # different characters in a password of 12: random ones have about 11, words have 6 and more
MOST_IN_A_ROW = 0.5  # share of neighbours in sequence, as in 1234, abcd or qwerty: 3 per cent by chance, up to a quarter in words
ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop")
_NEXT = {pair for row in ROWS for pair in (*pairwise(row), *pairwise(reversed(row)))}
_PLAIN = str.maketrans("@4301$57!", "aaeoisstl")  # characters that replace letters
_AROUND = "0123456789 .,;:!?_-+*/#$%&()[]{}<>=@'\"^~|\\"


class PatternValidator:
    """Refuses repetitions and sequences: aaaaaaaaaaaa, abcabcabcabc, 123456789012."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        text = password.lower()
        # A repeated piece, the last one maybe partial.
        is_repeated = any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))
        pairs = list(pairwise(text))
        in_a_row = sum(pair in _NEXT or pair[0] == pair[1] for pair in pairs) / max(1, len(pairs))
        if len(set(text)) < FEWEST_DIFFERENT or is_repeated or in_a_row > MOST_IN_A_ROW:
            raise ValidationError("This password repeats a few characters or follows a row such as 1234. Mix more.", code="pattern")

    def get_help_text(self) -> str:
        return "Your password can't be a repetition or a row such as abcabc or 12345678."


class CommonCoreValidator(CommonPasswordValidator):
    """Refuses extended common passwords: Password1234!, p@ssw0rd2024, dragondragon1."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        text = password.lower()
        cores = {text.strip(_AROUND), text.translate(_PLAIN).strip(_AROUND), text.strip(_AROUND).translate(_PLAIN)}
        if any(core in self.passwords and len(core) * 2 >= len(text) for core in cores):
            raise ValidationError("This is a common password with additions. Choose other words.", code="common_core")

    def get_help_text(self) -> str:
        return "Your password can't be a common one with digits or symbols added."
