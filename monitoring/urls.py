"""The panel's pages."""

from __future__ import annotations

from django.urls import path

from monitoring.gate_actions import GateAction
from monitoring.views.accounts import account, delete, move, new_account, switch, test
from monitoring.views.attempts import attempt_list
from monitoring.views.audit import audit, audit_csv
from monitoring.views.backups import backup_plan, cancel_backup
from monitoring.views.callers import caller_list
from monitoring.views.channel import channel, delete_channel, new_channel, switch_channel, test_channel
from monitoring.views.components import component_day, component_list
from monitoring.views.events import event_list
from monitoring.views.exports import export_attempts, export_steps, export_tasks
from monitoring.views.figures import compare, range_figures
from monitoring.views.gate_action import gate_action
from monitoring.views.logs import cancel_import, download, import_list, log_list
from monitoring.views.new_task import new_task
from monitoring.views.notifications import delivery_list, notice_list, notifications
from monitoring.views.overview import overview
from monitoring.views.probes import live, prometheus, ready
from monitoring.views.rate_limit import rate_limit
from monitoring.views.replay import cancel_replay, replay
from monitoring.views.retention import retention
from monitoring.views.run import cancel_run, run_json, run_markdown, run_report
from monitoring.views.runs import test_runs
from monitoring.views.schedules import delete_schedule, schedule_form, switch_schedule
from monitoring.views.settings import settings, settings_preview
from monitoring.views.step_page import step_page
from monitoring.views.steps import step_list
from monitoring.views.task import cancel_task, task_story
from monitoring.views.tasks import task_list
from monitoring.views.transfer import export_settings, import_settings, revert_change
from monitoring.views.users import password, regroup, reset, users
from monitoring.views.users import switch as switch_user
from monitoring.views.what_if import cancel_what_if, what_if

urlpatterns = [
    path("", overview, name="overview"),
    path("figures/", range_figures, name="figures"),
    path("compare/", compare, name="compare"),
    path("tasks/", task_list, name="tasks"),
    path("tasks/new/", new_task, name="new_task"),
    path("tasks/export/", export_tasks, name="export_tasks"),
    path("tasks/<int:pk>/", task_story, name="task"),
    path("tasks/<int:pk>/cancel/", cancel_task, name="cancel_task"),
    path("rate-limit/", rate_limit, name="rate_limit"),
    path("rate-limit/events/", event_list, name="events"),
    *(path(f"rate-limit/<int:account>/{action}/", gate_action, {"action": action}, name=f"{action}_account") for action in GateAction),
    path("tests/", test_runs, name="tests"),
    path("tests/<int:pk>/", run_report, name="test_run"),
    path("tests/<int:pk>/cancel/", cancel_run, name="cancel_run"),
    path("tests/<int:pk>/report.md", run_markdown, name="run_markdown"),
    path("tests/<int:pk>/report.json", run_json, name="run_json"),
    path("tests/schedules/new/", schedule_form, name="new_schedule"),
    path("tests/schedules/<int:pk>/", schedule_form, name="schedule"),
    path("tests/schedules/<int:pk>/switch/", switch_schedule, name="switch_schedule"),
    path("tests/schedules/<int:pk>/delete/", delete_schedule, name="delete_schedule"),
    path("components/", component_list, name="components"),
    path("components/<int:pk>/", component_day, name="component"),
    path("rate-limit/what-if/", what_if, name="what_if"),
    path("rate-limit/what-if/<int:pk>/cancel/", cancel_what_if, name="cancel_what_if"),
    path("steps/", step_list, name="steps"),
    path("steps/export/", export_steps, name="export_steps"),
    path("steps/<int:pk>/replay/", replay, name="replay"),
    path("replays/<int:pk>/cancel/", cancel_replay, name="cancel_replay"),
    path("steps/<int:pk>/page/", step_page, name="step_page"),
    path("attempts/", attempt_list, name="attempts"),
    path("attempts/export/", export_attempts, name="export_attempts"),
    path("callers/", caller_list, name="callers"),
    path("notifications/", notifications, name="notifications"),
    path("notifications/deliveries/", delivery_list, name="deliveries"),
    path("notifications/notices/", notice_list, name="notices"),
    path("notifications/channels/new/", new_channel, name="new_channel"),
    path("notifications/channels/<int:number>/", channel, name="channel"),
    path("notifications/channels/<int:number>/test/", test_channel, name="test_channel"),
    path("notifications/channels/<int:number>/switch/", switch_channel, name="switch_channel"),
    path("notifications/channels/<int:number>/delete/", delete_channel, name="delete_channel"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", prometheus, name="metrics"),
    path("audit/", audit, name="audit"),
    path("audit/export/", audit_csv, name="audit_csv"),
    path("account/password/", password, name="password"),
    path("logs/", log_list, name="logs"),
    path("logs/download.log", download, {"form": "log"}, name="logs_as_text"),
    path("logs/download.jsonl", download, {"form": "jsonl"}, name="logs_as_json"),
    path("logs/imports/", import_list, name="imports"),
    path("logs/imports/<int:pk>/cancel/", cancel_import, name="cancel_import"),
    path("settings/", settings, name="settings"),
    path("settings/preview/", settings_preview, name="settings_preview"),
    path("settings/export/", export_settings, name="export_settings"),
    path("settings/import/", import_settings, name="import_settings"),
    path("settings/changes/<str:kind>/<int:pk>/revert/", revert_change, name="revert_change"),
    path("settings/retention/", retention, name="retention"),
    path("settings/backups/", backup_plan, name="backups"),
    path("settings/backups/cancel/", cancel_backup, name="cancel_backup"),
    path("settings/users/", users, name="users"),
    path("settings/users/<int:pk>/group/", regroup, name="regroup_user"),
    path("settings/users/<int:pk>/switch/", switch_user, name="switch_user"),
    path("settings/users/<int:pk>/reset/", reset, name="reset_user"),
    path("settings/accounts/new/", new_account, name="new_account"),
    path("settings/accounts/<int:pk>/", account, name="account"),
    path("settings/accounts/<int:pk>/move/", move, name="move_account"),
    path("settings/accounts/<int:pk>/switch/", switch, name="switch_account"),
    path("settings/accounts/<int:pk>/test/", test, name="test_account"),
    path("settings/accounts/<int:pk>/delete/", delete, name="delete_account"),
]
