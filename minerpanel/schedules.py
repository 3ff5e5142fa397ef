"""Everything that runs periodically. The Health page shows it with its last and next run."""

from agents.worker.cron import Entry

# Seconds. ROUND: with each round of the worker, every ten seconds; a little less, so that none is skipped.
ROUND, HOUR = 5.0, 3600.0


def schedules(backup_cron: str) -> tuple[Entry, ...]:
    backup = Entry("Back up the database", "monitoring.jobs.back_up", cron=backup_cron, time_limit=340)
    return (
        Entry("Health checks", "monitoring.health.health_checks.check", every="health_seconds"),
        Entry("Write spooled steps, close lost attempts", "agents.jobs.reconcile", ROUND),
        Entry("Probe accounts after a pause", "agents.accounts.probing.start_due", ROUND),
        Entry("Read quotas", "agents.accounts.quota_readings.start_due", 60.0),  # of each account every five minutes
        Entry("Read the reset times of caps", "agents.accounts.quota_readings.start_caps", ROUND),
        Entry("Detect conditions for notifications", "monitoring.notifications.detection.notice", ROUND),
        Entry("Ping the outside watcher", "monitoring.health.watcher.ping", 60.0),
        Entry("Test after a pause", "monitoring.testruns.suites.schedules.start_due", ROUND),
        Entry("Sum up statistics", "monitoring.reporting.rollups.sum_up", 60.0),
        Entry("Index texts", "monitoring.jobs.index_texts", ROUND),
        Entry("Learn from answered steps", "agents.learning.job.learn", ROUND),
        Entry("Keep to storage budgets", "monitoring.jobs.keep_to_budgets", ROUND),
        Entry("Try the other pacing on the last day", "agents.operator_jobs.what_if.start_unasked", 600.0),  # every six hours
        Entry("Read model lists", "agents.jobs.read_catalogues", HOUR),
        Entry("Delete expired pages", "agents.jobs.forget_pages", HOUR),
        Entry("Delete old records", "monitoring.jobs.prune", HOUR),
        *([backup] if backup_cron else []),
    )
