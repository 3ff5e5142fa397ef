"""The audit log: actions of users, programs and the miner itself."""

from datetime import datetime
from typing import Annotated, Any

from django.utils import timezone
from ninja import Field, Query, Router, Schema

from monitoring.api.access import ApiRequest, reads
from monitoring.api.paging import PLAIN, Page, Paging, paged
from monitoring.api.problems import of_form
from monitoring.audit.audit_log import KINDS, Entry, entries
from monitoring.audit.views import AuditFilter

router = Router(tags=["Audit"])


class EntryOut(Schema):
    """`by`: a user, or the miner itself. `revert`: the path for POST /settings/history/…/revert, null if it can't be reverted."""

    id: int
    at: datetime
    by: str
    kind: str
    what: str
    subject: str
    facts: list[str]
    reason: str
    revert: str | None


def entry_out(entry: Entry) -> dict[str, Any]:
    own = {name: getattr(entry, name) for name in ("id", "at", "by", "kind", "what", "subject", "reason")}
    return {**own, "facts": [str(fact) for fact in entry.facts], "revert": f"{entry.kind}/{entry.pk}" if entry.can_be_reverted else None}


class AuditQueryIn(Paging):
    """`who`: a user's name, :machine, or :outside the panel. `account`: by its id."""

    who: Annotated[str, Field(max_length=150, pattern=PLAIN)] | None = None
    what: Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})] | None = None
    account: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    since: datetime | None = None
    until: datetime | None = None


@router.get("/audit", auth=reads, response=Page[EntryOut])
def audit(request: ApiRequest, query: Query[AuditQueryIn]) -> dict[str, Any]:
    """Audit: actions, changes and pauses, newest first."""
    given = query.dict(exclude_none=True, exclude={"older", "newer"})
    filters = AuditFilter({name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in given.items()})
    if not filters.is_valid():
        raise of_form(filters)
    page = entries(filters.query(timezone.now()), query.place("at"))
    return paged(request, page, [entry_out(entry) for entry in page.rows])
