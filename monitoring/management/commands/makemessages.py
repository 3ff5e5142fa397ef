"""`manage.py makemessages -l de`: Django's command, which also collects the sentences that the agents mark by `phrase`."""

from __future__ import annotations

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=phrase"]
