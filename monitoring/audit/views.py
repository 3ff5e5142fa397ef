from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.utils import timezone

from agents.models import Account
from monitoring.audit.audit_log import KINDS, MACHINE, OUTSIDE, AuditQuery, Entry, all_entries, entries
from monitoring.reporting.file_exports import exported
from monitoring.reporting.filter_form import ANY, FilterForm, range_field, time_field
from monitoring.reporting.filter_query import Query
from monitoring.reporting.pagination import Place
from monitoring.web.access import VIEW, PanelRequest, guarded
from monitoring.web.pages import page

MOST_EXPORTED = 100_000  # rows that a spreadsheet still opens
COLUMNS = ("time", "who", "what", "subject", "details", "reason")


class AuditFilter(FilterForm):
    who = forms.ChoiceField(label="Who", required=False)
    what = forms.ChoiceField(label="What", required=False, choices=[ANY, *KINDS.items()])
    account = forms.TypedChoiceField(label="Account", required=False, coerce=int)
    range = range_field("Time", "1h", "24h", "7d")
    since = time_field("From")
    until = time_field("Until")

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        people = [(name, name) for name in User.objects.order_by("username").values_list("username", flat=True)]
        accounts = [(str(pk), name) for pk, name in Account.objects.values_list("pk", "name")]
        self.fields["who"].choices = [ANY, (MACHINE, "The machine"), (OUTSIDE, "Outside the panel"), *people]  # type: ignore[attr-defined]
        self.fields["account"].choices = [ANY, *accounts]  # type: ignore[attr-defined]

    def query(self, now: datetime) -> AuditQuery:
        conditions = self.conditions(now)
        kinds = (conditions.pop("what"),) if "what" in conditions else ()
        return AuditQuery(**conditions, kinds=kinds)


@page("audit/audit")
def audit(request: PanelRequest) -> dict[str, Any]:
    filters = AuditFilter(request.GET)
    return {"filters": filters, "entries": entries(filters.query(timezone.now()), Place.parse(request.GET))}


@guarded(get=VIEW, post=None)
def audit_csv(request: PanelRequest) -> HttpResponseBase:
    def cells(entry: Entry) -> tuple[Any, ...]:
        return entry.at, entry.by, entry.what, entry.subject, "; ".join(map(str, entry.facts)), entry.reason

    now = timezone.now()
    log = all_entries(AuditFilter(request.GET).query(now), MOST_EXPORTED)
    return exported("audit", "csv", COLUMNS, Query(), (dict(zip(COLUMNS, cells(entry), strict=True)) for entry in log), now)
