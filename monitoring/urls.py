"""The panel's pages."""

from __future__ import annotations

from django.urls import path

from monitoring.views.accounts import account, delete, move, new_account, switch
from monitoring.views.callers import caller_list
from monitoring.views.figures import compare, range_figures
from monitoring.views.new_task import new_task
from monitoring.views.overview import overview
from monitoring.views.probes import live, prometheus, ready
from monitoring.views.settings import settings
from monitoring.views.task import task_story
from monitoring.views.tasks import task_list
from monitoring.views.what_if import what_if

urlpatterns = [
    path("", overview, name="overview"),
    path("figures/", range_figures, name="figures"),
    path("compare/", compare, name="compare"),
    path("tasks/", task_list, name="tasks"),
    path("tasks/new/", new_task, name="new_task"),
    path("tasks/<int:pk>/", task_story, name="task"),
    path("rate-limit/what-if/", what_if, name="what_if"),
    path("callers/", caller_list, name="callers"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", prometheus, name="metrics"),
    path("settings/", settings, name="settings"),
    path("settings/accounts/new/", new_account, name="new_account"),
    path("settings/accounts/<int:pk>/", account, name="account"),
    path("settings/accounts/<int:pk>/move/", move, name="move_account"),
    path("settings/accounts/<int:pk>/switch/", switch, name="switch_account"),
    path("settings/accounts/<int:pk>/delete/", delete, name="delete_account"),
]
