"""The panel's pages."""

from __future__ import annotations

from django.urls import path, re_path

from monitoring.views.callers import caller_list
from monitoring.views.logs import download, import_list, log_list
from monitoring.views.new_task import new_task
from monitoring.views.overview import overview
from monitoring.views.probes import live, prometheus, ready
from monitoring.views.settings import account, settings
from monitoring.views.task import task_story
from monitoring.views.tasks import task_list

urlpatterns = [
    path("", overview, name="overview"),
    path("tasks/", task_list, name="tasks"),
    path("tasks/new/", new_task, name="new_task"),
    path("tasks/<int:pk>/", task_story, name="task"),
    path("callers/", caller_list, name="callers"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", prometheus, name="metrics"),
    path("logs/", log_list, name="logs"),
    re_path(r"^logs/download\.(?P<form>log|jsonl)$", download, name="log_download"),
    path("logs/imports/", import_list, name="imports"),
    path("settings/", settings, name="settings"),
    path("settings/account/", account, name="account"),
]
