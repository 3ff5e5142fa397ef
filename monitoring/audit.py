"""What people do to the panel itself, put on record beside what they do to accounts. Kept for good, failed log-ins apart."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from agents.models import AuditEntry
from agents.phrases import phrase


class Deed(StrEnum):
    """What was done."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    USER = "user"
    SETTINGS_IMPORT = "import"
    BACKUP = "backup"

    @property
    def sentence(self) -> str:
        """The deed in words."""
        return _WORDS[self]


_WORDS = {
    Deed.LOGIN: phrase("Log-in"),
    Deed.LOGIN_FAILED: phrase("Failed log-in"),
    Deed.USER: phrase("User"),
    Deed.SETTINGS_IMPORT: phrase("Settings imported"),
    Deed.BACKUP: phrase("Backup"),
}


def note(deed: Deed, detail: str, *, by: str, now: datetime) -> None:
    """Put on record what somebody did. `by`: a user's name, "" for the machine."""
    AuditEntry.objects.create(at=now, by=by, action=deed, detail=detail)
