"""The panel's pages."""

from __future__ import annotations

from django.urls import path

from monitoring.gate_actions import GateAction
from monitoring.views.accounts import account, delete, move, new_account, switch
from monitoring.views.audit import audit, audit_csv
from monitoring.views.callers import caller_list
from monitoring.views.events import event_list
from monitoring.views.gate_action import gate_action
from monitoring.views.new_task import new_task
from monitoring.views.overview import overview
from monitoring.views.probes import live, prometheus, ready
from monitoring.views.rate_limit import rate_limit
from monitoring.views.retention import retention
from monitoring.views.settings import settings, settings_preview
from monitoring.views.task import task_story
from monitoring.views.tasks import task_list
from monitoring.views.transfer import export_settings, import_settings, revert_change
from monitoring.views.users import password, regroup, reset, users
from monitoring.views.users import switch as switch_user
from monitoring.views.what_if import what_if

urlpatterns = [
    path("", overview, name="overview"),
    path("tasks/", task_list, name="tasks"),
    path("tasks/new/", new_task, name="new_task"),
    path("tasks/<int:pk>/", task_story, name="task"),
    path("rate-limit/", rate_limit, name="rate_limit"),
    path("rate-limit/events/", event_list, name="events"),
    *(path(f"rate-limit/<int:account>/{action}/", gate_action, {"action": action}, name=f"{action}_account") for action in GateAction),
    path("rate-limit/what-if/", what_if, name="what_if"),
    path("callers/", caller_list, name="callers"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", prometheus, name="metrics"),
    path("audit/", audit, name="audit"),
    path("audit/export/", audit_csv, name="audit_csv"),
    path("account/password/", password, name="password"),
    path("settings/", settings, name="settings"),
    path("settings/preview/", settings_preview, name="settings_preview"),
    path("settings/export/", export_settings, name="export_settings"),
    path("settings/import/", import_settings, name="import_settings"),
    path("settings/changes/<str:kind>/<int:pk>/revert/", revert_change, name="revert_change"),
    path("settings/retention/", retention, name="retention"),
    path("settings/users/", users, name="users"),
    path("settings/users/<int:pk>/group/", regroup, name="regroup_user"),
    path("settings/users/<int:pk>/switch/", switch_user, name="switch_user"),
    path("settings/users/<int:pk>/reset/", reset, name="reset_user"),
    path("settings/accounts/new/", new_account, name="new_account"),
    path("settings/accounts/<int:pk>/", account, name="account"),
    path("settings/accounts/<int:pk>/move/", move, name="move_account"),
    path("settings/accounts/<int:pk>/switch/", switch, name="switch_account"),
    path("settings/accounts/<int:pk>/delete/", delete, name="delete_account"),
]
