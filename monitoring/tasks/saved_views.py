"""Saved views of Tasks, Steps and LLM attempts: a user's own, and those that others share."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect

from monitoring.models import SavedView
from monitoring.reporting.filter_query import MAX_QUERY
from monitoring.reporting.pagination import Order
from monitoring.web.access import CHANGE, VIEW, PanelRequest, guarded

MOST = 50  # per user and page


class SaveForm(forms.Form):
    name = forms.CharField(max_length=40)
    q = forms.CharField(required=False, max_length=MAX_QUERY, strip=False)
    sort = forms.ChoiceField(required=False, choices=[(order.value, order.value) for order in Order])
    is_shared = forms.BooleanField(required=False)


def saved_views(page: str, user: User) -> dict[str, list[SavedView]]:
    """`views`: of the page, visible to the user; `deletable`: those that the user may delete."""
    may_delete_all = user.has_perm(CHANGE)
    views = list(SavedView.objects.filter(Q(user=user) | Q(is_shared=True), page=page).select_related("user")[: 2 * MOST])
    return {"views": views, "deletable": [view for view in views if may_delete_all or view.user_id == user.pk]}


@guarded(get=None, post=VIEW)
def save_view(request: PanelRequest, page: str) -> HttpResponse:
    """Save a view; one of the same name is replaced."""
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "The view was not saved: give it a name of at most 40 characters.")
        return redirect(page)
    given = form.cleaned_data
    own = SavedView.objects.filter(user=request.user, page=page)
    if own.count() >= MOST and not own.filter(name=given["name"]).exists():
        messages.warning(request, f"You have {MOST} views of this page. Delete one first.")
        return redirect(page)
    values = {"query": given["q"], "sort": given["sort"], "is_shared": given["is_shared"]}
    view, _ = own.update_or_create(user=request.user, page=page, name=given["name"], defaults=values)
    messages.success(request, f"The view {view.name} is saved.")
    return redirect(view)


@guarded(get=None, post=VIEW)
def delete_view(request: PanelRequest, pk: int) -> HttpResponse:
    mine = Q() if request.user.has_perm(CHANGE) else Q(user=request.user)
    view = SavedView.objects.filter(mine, pk=pk).first()
    if view is None:
        messages.warning(request, "There is no such view of yours any more.")
        return redirect("tasks")
    view.delete()
    messages.success(request, f"The view {view.name} is deleted.")
    return redirect(view.page)
