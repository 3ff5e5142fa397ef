"""The one way to read and change what admins set. The pages and the command line both come through here."""

from agents.configuration.accounts import ACCOUNT, add_account, change_account, delete_account, move_account, why_kept
from agents.configuration.reading import Provider, accounts, base_url_of, default_account, models_of, provider, rules
from agents.configuration.settings import SETTINGS, change, values
from agents.configuration.texts import parsed

__all__ = [
    "ACCOUNT",
    "SETTINGS",
    "Provider",
    "accounts",
    "add_account",
    "base_url_of",
    "change",
    "change_account",
    "default_account",
    "delete_account",
    "models_of",
    "move_account",
    "parsed",
    "provider",
    "rules",
    "values",
    "why_kept",
]
