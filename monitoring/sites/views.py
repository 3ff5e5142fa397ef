"""Learned facts of sites: admins view, change, delete and export them."""

import tomllib
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from agents.learning import maps, store
from agents.learning.solutions import solutions_of
from agents.learning.toml import toml
from agents.models import AuditEntry, Learned
from monitoring.reporting.pagination import Place, cut
from monitoring.web.access import CHANGE, PanelRequest, guarded
from monitoring.web.pages import page

MOST_SITES, PAGE_SIZE = 200, 50
KINDS = tuple((kind.value, kind.label.lower()) for kind in Learned.Kind)


class FactForm(forms.Form):
    """A fact as TOML, validated like a file of site facts."""

    facts = forms.CharField(
        label="As TOML",
        max_length=store.MOST_FACT * 2,
        widget=forms.Textarea({"rows": 16, "spellcheck": "false", "class": "font-monospace"}),
        help_text="A saved fact is not changed by later steps.",
    )

    def change(self, row: Learned, by: str) -> bool:
        if not self.is_valid():
            return False
        try:
            row.facts = tomllib.loads(self.cleaned_data["facts"])
        except ValueError as error:
            self.add_error("facts", f"This is not TOML: {error}.")
            return False
        for fault in maps.faults_of(row):
            self.add_error("facts", fault.remedy)
        if self.is_valid():
            try:
                store.change(row, row.facts)
            except ValidationError as error:
                self.add_error("facts", error)
        if self.is_valid():
            _audit(by, f"{row.get_kind_display()} {row.key} of {row.site} was changed")
        return self.is_valid()


@page("sites/sites", get=CHANGE, post=CHANGE)
def sites(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The sites and groups of callers, and the facts of the chosen one. A POST deletes these."""
    of_site = _chosen(request)
    if request.method == "POST":
        with transaction.atomic():
            deleted = of_site.delete()[0]
            _audit(request.user.get_username(), f"{deleted} facts of {request.GET.get('site', '')} were deleted")
        messages.success(request, f"Deleted: {deleted} facts. They are learned again from further steps.")
        return redirect("sites")
    counts = {name: Count("pk", filter=Q(kind=kind)) for kind, name in KINDS}
    totals = {"size": Sum("size"), "projects": Max("project"), "last": Max("seen_at")}
    rows: Any = Learned.objects.values("site", "callers")
    places = rows.annotate(**counts, **totals).order_by("-last", "site", "callers")
    chosen = {name: request.GET[name] for name in ("site", "callers") if name in request.GET}
    facts = cut(of_site.defer("facts"), "seen_at", Place.parse(request.GET), PAGE_SIZE) if chosen else None
    return {"places": [_place(counted) for counted in places[:MOST_SITES]], "chosen": chosen, "facts": facts, "query": urlencode(chosen)}


@page("sites/fact", get=CHANGE, post=CHANGE)
def fact(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    """A POST changes the fact, or deletes it."""
    row = get_object_or_404(Learned, pk=pk)
    form = FactForm(request.POST if request.method == "POST" else None, initial={"facts": toml(row.facts)})
    back = f"{reverse('sites')}?{urlencode({'site': row.site, 'callers': row.callers})}"
    if request.method == "POST" and "delete" in request.POST:
        row.delete()
        _audit(request.user.get_username(), f"{row.get_kind_display()} {row.key} of {row.site} was deleted")
        messages.success(request, "Deleted.")
        return redirect(back)
    if form.is_bound and row.kind != Learned.Kind.SOLUTION and form.change(row, request.user.get_username()):
        messages.success(request, f"Saved. Takes effect within {maps.REREAD_SECONDS:.0f} seconds.")
        return redirect(back)
    solution = next(iter(solutions_of([row])), None)
    return {"fact": row, "form": form, "back": back, "is_solution": row.kind == Learned.Kind.SOLUTION, "solution": solution}


@guarded(get=CHANGE, post=None)
def export(request: PanelRequest) -> HttpResponse:
    text = toml(maps.table(_chosen(request).order_by("seen_at", "pk")))
    headers = {"Content-Disposition": 'attachment; filename="site.toml"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="application/toml; charset=utf-8", headers=headers)


def _chosen(request: HttpRequest) -> QuerySet[Learned]:
    return Learned.objects.filter(site=request.GET.get("site", ""), callers=request.GET.get("callers", ""))


def _place(counted: dict[str, Any]) -> dict[str, Any]:
    kinds = ", ".join(f"{counted[name]} {name}{'' if counted[name] == 1 else 's'}" for _, name in KINDS if counted[name])
    return {**counted, "kinds": kinds, "query": urlencode({"site": counted["site"], "callers": counted["callers"]})}


def _audit(by: str, detail: str) -> None:
    AuditEntry.record(AuditEntry.Action.LEARNED, detail, by=by, now=timezone.now())
