"""The navigation."""

from typing import NamedTuple

from monitoring.web.access import CHANGE


class Entry(NamedTuple):
    """`key`: follows `g` on the keyboard; `below`: routes of its subpages; `permission`: required to see it, "" for none."""

    route: str
    text: str
    key: str
    icon: str
    below: str = ""
    permission: str = ""


GROUPS: dict[str, tuple[Entry, ...]] = {
    "Operate": (
        Entry("overview", "Overview", "o", "layout-dashboard", "compare figures first_steps"),
        Entry("tasks", "Tasks", "t", "list-details", "task new_task steps replay step_page"),
        Entry("rate_limit", "Rate limit", "r", "clock", "events what_if probe_account pause_account resume_account clear_account"),
        Entry("attempts", "LLM attempts", "a", "activity"),
    ),
    "Verify": (
        Entry("tests", "Tests", "e", "test-pipe", "test_run new_schedule schedule"),
        Entry("components", "Health", "h", "heartbeat", "component outside_watcher"),
        Entry("logs", "Logs", "l", "logs", "imports"),
        Entry("callers", "Callers", "c", "user"),
    ),
    "Administer": (
        Entry("settings", "Settings", "s", "settings", "account new_account import_settings retention"),
        Entry("notifications", "Notifications", "i", "bell", "deliveries notices new_channel channel new_maintenance"),
        Entry("sites", "Learned sites", "m", "world", "fact", permission=CHANGE),
        Entry("deployment", "Deployment", "d", "upload", permission=CHANGE),
        Entry("users", "Users", "p", "users", permission=CHANGE),
        Entry("audit", "Audit", "u", "history"),
    ),
}
