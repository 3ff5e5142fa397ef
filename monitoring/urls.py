from django.urls import URLPattern, URLResolver, path

from monitoring.api import document as api
from monitoring.audit import views as audit
from monitoring.deployment import views as deployment
from monitoring.first_steps import views as first_steps
from monitoring.health import views as health
from monitoring.logs import views as logs
from monitoring.models import SavedView
from monitoring.notifications import views as notifications
from monitoring.overview import views as overview
from monitoring.palette import views as palette
from monitoring.ratelimit import views as ratelimit
from monitoring.ratelimit.gate import GateAction
from monitoring.retention import views as retention
from monitoring.settings import views as settings
from monitoring.sign_in import confirm, factors, sessions
from monitoring.sites import views as sites
from monitoring.tasks import saved_views
from monitoring.tasks import views as tasks
from monitoring.testruns import views as testruns
from monitoring.tokens import views as tokens
from monitoring.users import views as users
from monitoring.what_if import views as what_if

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("first-steps/", first_steps.first_steps, name="first_steps"),
    path("figures/", overview.range_figures, name="figures"),
    path("compare/", overview.compare, name="compare"),
    path("tasks/", tasks.task_list, name="tasks"),
    path("tasks/new/", tasks.new_task, name="new_task"),
    path("tasks/export/", tasks.export, {"name": "tasks"}, name="export_tasks"),
    path("tasks/<int:pk>/", tasks.task, name="task"),
    path("tasks/<int:pk>/cancel/", tasks.cancel_task, name="cancel_task"),
    path("rate-limit/", ratelimit.rate_limit, name="rate_limit"),
    path("rate-limit/events/", ratelimit.event_list, name="events"),
    *(
        path(f"rate-limit/<int:account>/{action}/", ratelimit.gate_action, {"action": action}, name=f"{action}_account")
        for action in GateAction
    ),
    path("tests/", testruns.test_runs, name="tests"),
    path("tests/<int:pk>/", testruns.run_report, name="test_run"),
    path("tests/<int:pk>/cancel/", testruns.cancel_run, name="cancel_run"),
    path("tests/<int:pk>/report.md", testruns.run_file, {"form": "md"}, name="run_markdown"),
    path("tests/<int:pk>/report.json", testruns.run_file, {"form": "json"}, name="run_json"),
    path("tests/schedules/new/", testruns.schedule_form, name="new_schedule"),
    path("tests/schedules/<int:pk>/", testruns.schedule_form, name="schedule"),
    path("tests/schedules/<int:pk>/switch/", testruns.switch_schedule, name="switch_schedule"),
    path("tests/schedules/<int:pk>/delete/", testruns.delete_schedule, name="delete_schedule"),
    path("components/", health.component_list, name="components"),
    path("components/watcher/", health.outside_watcher, name="outside_watcher"),
    path("components/<int:pk>/", health.component_day, name="component"),
    path("rate-limit/what-if/", what_if.what_if, name="what_if"),
    path("rate-limit/pacing/", what_if.switch_pacing, name="switch_pacing"),
    path("rate-limit/what-if/<int:pk>/cancel/", what_if.cancel_what_if, name="cancel_what_if"),
    path("steps/", tasks.step_list, name="steps"),
    path("steps/export/", tasks.export, {"name": "steps"}, name="export_steps"),
    path("steps/<int:pk>/replay/", tasks.replay, name="replay"),
    path("replays/<int:pk>/cancel/", tasks.cancel_replay, name="cancel_replay"),
    path("steps/<int:pk>/page/", tasks.step_page, name="step_page"),
    path("attempts/", tasks.attempt_list, name="attempts"),
    path("attempts/export/", tasks.export, {"name": "llm-attempts"}, name="export_attempts"),
    path("palette/", palette.palette, name="palette"),
    *(path(f"{page}/views/", saved_views.save_view, {"page": page}, name=f"save_{page}_view") for page in SavedView.Page.values),
    path("views/<int:pk>/delete/", saved_views.delete_view, name="delete_view"),
    path("callers/", tasks.caller_list, name="callers"),
    path("callers/<int:pk>/", tasks.change_caller, name="change_caller"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/deliveries/", notifications.delivery_list, name="deliveries"),
    path("notifications/notices/", notifications.notice_list, name="notices"),
    path("notifications/channels/new/", notifications.channel, name="new_channel"),
    path("notifications/channels/<int:number>/", notifications.channel, name="channel"),
    path("notifications/channels/<int:number>/test/", notifications.test_channel, name="test_channel"),
    path("notifications/channels/<int:number>/switch/", notifications.switch_channel, name="switch_channel"),
    path("notifications/channels/<int:number>/delete/", notifications.delete_channel, name="delete_channel"),
    path("notifications/maintenance/new/", notifications.new_maintenance, name="new_maintenance"),
    path("notifications/maintenance/<int:pk>/end/", notifications.end_maintenance, name="end_maintenance"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.prometheus, name="metrics"),
    path("sites/", sites.sites, name="sites"),
    path("sites/<int:pk>/", sites.fact, name="fact"),
    path("sites/site.toml", sites.export, name="export_site"),
    path("deployment/", deployment.deployment, name="deployment"),
    path("deployment/<int:pk>/agent.tar.gz", deployment.download, name="download_export"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.audit_csv, name="audit_csv"),
    path("account/password/", users.password, name="password"),
    path("account/tokens/", tokens.own_tokens, name="tokens"),
    path("account/tokens/api/", tokens.documentation, name="api"),
    path("account/tokens/<int:pk>/revoke/", tokens.revoke_own, name="revoke_token"),
    path("account/confirm/", confirm.confirm, name="account_reauthenticate"),
    path("account/second-factor/", factors.second_factor, name="second_factor"),
    path("account/second-factor/app/", factors.add_app, name="add_app"),
    path("account/second-factor/app/remove/", factors.remove_app, name="remove_app"),
    path("account/second-factor/passkeys/add/", factors.add_passkey, name="add_passkey"),
    path("account/second-factor/passkeys/<int:pk>/remove/", factors.remove_passkey, name="remove_passkey"),
    path("account/second-factor/codes/", factors.new_codes, name="new_codes"),
    path("account/sessions/", sessions.session_list, name="sessions"),
    path("account/sessions/<int:pk>/end/", sessions.end, name="end_session"),
    path("account/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("api/v1/openapi.json", api.openapi, name="openapi"),
    path("api/v1/", api.nothing_here),
    path("api/v1/", api.api.urls),
    path("api/<path:path>", api.nothing_here),
    path("logs/", logs.log_list, name="logs"),
    path("logs/download.log", logs.download, {"form": "log"}, name="logs_as_text"),
    path("logs/download.jsonl", logs.download, {"form": "jsonl"}, name="logs_as_json"),
    path("logs/imports/", logs.import_list, name="imports"),
    path("settings/", settings.settings, name="settings"),
    path("settings/preview/", settings.settings_preview, name="settings_preview"),
    path("settings/export/", settings.export_settings, name="export_settings"),
    path("settings/import/", settings.import_settings, name="import_settings"),
    path("settings/changes/<str:kind>/<int:pk>/revert/", settings.revert_change, name="revert_change"),
    path("settings/retention/", retention.retention, name="retention"),
    path("settings/users/", users.users, name="users"),
    path("settings/users/<int:pk>/group/", users.regroup, name="regroup_user"),
    path("settings/users/<int:pk>/switch/", users.switch, name="switch_user"),
    path("settings/users/<int:pk>/reset/", users.reset, name="reset_user"),
    path("settings/users/tokens/<int:pk>/revoke/", tokens.revoke_any, name="revoke_any_token"),
    path("settings/users/<int:pk>/second-factor/", users.reset_second_factor, name="reset_second_factor"),
    path("settings/accounts/new/", settings.new_account, name="new_account"),
    path("settings/accounts/<int:pk>/", settings.account, name="account"),
    path("settings/accounts/<int:pk>/move/", settings.move, name="move_account"),
    path("settings/accounts/<int:pk>/switch/", settings.switch, name="switch_account"),
    path("settings/accounts/<int:pk>/test/", settings.test, name="test_account"),
    path("settings/accounts/<int:pk>/delete/", settings.delete, name="delete_account"),
]
