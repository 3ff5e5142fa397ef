"""`manage.py miner_settings`: print the miner's settings and accounts as JSON, or change some of them."""

import getpass
import json
import sys
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import configuration
from agents.configuration import account_changes
from agents.models import Account, Settings

REASON = "miner_settings"
KEYS = {"key": "API key", "admin_key": "admin key"}
EXAMPLES = """\
miner_settings spacing_seconds=2 backoff_seconds=60,120,240,480
miner_settings --add-account spare base_url=https://llm.chutes.ai/v1 --key-from-stdin < key.txt
miner_settings --account spare position=1 model_names=a/model,b/model 'request_options={"temperature": 0}'
miner_settings --account spare enabled=false"""


class Command(BaseCommand):
    help = f"Print all settings and accounts as JSON, or change them: {EXAMPLES}"

    def add_arguments(self, parser: CommandParser) -> None:
        names = f"Settings: {', '.join(configuration.SETTINGS)}. Of an account: {', '.join(account_changes.ACCOUNT)}."
        parser.add_argument("changes", nargs="*", metavar="name=value", help=names)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--account", metavar="NAME", help="Change this account.")
        which.add_argument("--add-account", metavar="NAME", help="Add an account of this name.")
        which.add_argument("--delete-account", metavar="NAME", help="Delete this account, where no attempts of it are on record.")
        for name, label in KEYS.items():
            flag = name.replace("_", "-")
            how = parser.add_mutually_exclusive_group()
            how.add_argument(f"--{flag}-from-stdin", action="store_true", help=f"Read the account's new {label} from a line of the input.")
            how.add_argument(f"--remove-{flag}", action="store_true", help=f"Remove the account's {label}.")

    def handle(self, *args: Any, **options: Any) -> None:
        changes = dict(_parsed(text) for text in options["changes"])
        try:
            _apply(changes, options)
        except ValidationError as error:
            faults = [(name, " ".join(texts)) for name, texts in error.message_dict.items()]
            raise CommandError(" ".join(text if name == "__all__" else f"{name}: {text}" for name, text in faults)) from None
        names = (*account_changes.ACCOUNT, *(f"{name}_hint" for name in KEYS))  # hints have the last characters of keys
        accounts = [{name: getattr(account, name) for name in names} for account in configuration.accounts()]
        self.stdout.write(json.dumps({**configuration.values(Settings.current()), "accounts": accounts}, indent=2))


def _apply(changes: dict[str, Any], options: Mapping[str, Any]) -> None:
    name = options["account"] or options["add_account"] or options["delete_account"]
    has_keys = any(options[f"{key}_from_stdin"] or options[f"remove_{key}"] for key in KEYS)
    if name is None and has_keys:
        raise CommandError("Name the key's account: --account NAME or --add-account NAME.")
    if options["delete_account"] and (changes or has_keys):
        raise CommandError("Use --delete-account alone.")
    if name is None:
        if changes:
            configuration.change(changes, by=None, reason=REASON)
    elif options["delete_account"]:
        account_changes.delete_account(_named(name), by=None, reason=REASON)
    elif options["add_account"]:
        keys = {key: text for key, text in _keys(options).items() if text}
        account_changes.add_account(name, changes, **keys, by=None, reason=REASON)
    else:
        account_changes.change_account(_named(name), changes, **_keys(options), by=None, reason=REASON)


def _named(name: str) -> Account:
    accounts = {account.name: account for account in configuration.accounts()}
    if name not in accounts:
        raise CommandError(f"There is no account “{name}”. Choose from {', '.join(accounts)}.")
    return accounts[name]


def _keys(options: Mapping[str, Any]) -> dict[str, str | None]:
    """The new keys: "" to remove, None to keep. They are read from standard input, so that no list of processes shows them."""
    keys: dict[str, str | None] = {name: "" if options[f"remove_{name}"] else None for name in KEYS}
    for name, label in KEYS.items():
        if options[f"{name}_from_stdin"]:
            keys[name] = (getpass.getpass(f"{label}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
            if not keys[name]:
                raise CommandError(f"The input holds no {label}. Give it as a line of its own; the API key comes first.")
    return keys


def _parsed(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"“{text}” is not of the form name=value, such as spacing_seconds=2.")
    try:
        return name, configuration.parsed(name, value)
    except ValueError as error:
        raise CommandError(f"{name}: {error}") from None
