"""A filter bar's conditions as conditions on rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db.models import Q

from monitoring.queries import TEXT, Query, moment

# From the values of one qualifier to the rows that have any of them.
AnyOf = Callable[[list[str]], Q]
# From a text to the rows that hold it.
Says = Callable[[str], Q]


def since(query: Query, now: datetime) -> datetime | None:
    """The latest time from which rows are wanted; None where none is named."""
    return max((moment(value, now) for value in query.values("since")), default=None)


def narrowed(query: Query, at: str, any_of: Mapping[str, AnyOf], says: Says, now: datetime) -> list[Q]:
    """All conditions of a query.

    `at`: the field of the time; `any_of`: how each other qualifier is asked; `says`: how a text is looked for.
    """
    found = [Q(**{f"{at}__gte": moment(value, now)}) for value in query.values("since")]
    found += [Q(**{f"{at}__lt": moment(value, now)}) for value in query.values("until")]
    for name, asked in any_of.items():
        wanted, unwanted = query.values(name), query.values(name, negated=True)
        found += [asked(wanted)] if wanted else []
        found += [~asked(unwanted)] if unwanted else []
    found += [says(value) for value in query.values(TEXT)]
    return found + [~says(value) for value in query.values(TEXT, negated=True)]
