import agents.models.choices
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import functools
import monitoring.logs.journal
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("agents", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Panel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "permissions": [
                    ("view_panel", "Can look at every page"),
                    ("submit_task", "Can submit tasks"),
                    ("control_account", "Can probe, pause, resume and clear accounts"),
                    ("change_settings", "Can change settings and keys"),
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Channel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("url_sealed", models.TextField(editable=False)),
                ("scheme", models.CharField(editable=False, max_length=40)),
                ("url_changed_at", models.DateTimeField(editable=False, null=True)),
                ("events", models.JSONField(blank=True, default=list)),
                (
                    "least_severity",
                    models.PositiveSmallIntegerField(choices=[(1, "Information"), (2, "Warning"), (3, "Critical")], default=2),
                ),
                ("quiet_from", models.TimeField(blank=True, null=True)),
                ("quiet_to", models.TimeField(blank=True, null=True, verbose_name="quiet until")),
                ("zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                ("resend_minutes", models.PositiveIntegerField(default=0, verbose_name="reminder after")),
                ("enabled", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Component",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("up", "Up"), ("degraded", "Degraded"), ("down", "Down"), ("unknown", "Unknown")],
                        default="unknown",
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("checked_at", models.DateTimeField()),
                ("latency_ms", models.FloatField(blank=True, null=True)),
                ("message", models.CharField(blank=True, max_length=300)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("is_flapping", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="FailedLogIns",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=50, unique=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField(db_index=True)),
                ("not_before", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                (
                    "days",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)],
                        verbose_name="Days",
                    ),
                ),
                (
                    "most_rows",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(100000000)],
                        verbose_name="Most rows",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TextIndexed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("until_id", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalChannel",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(db_index=True, max_length=60)),
                ("scheme", models.CharField(editable=False, max_length=40)),
                ("url_changed_at", models.DateTimeField(editable=False, null=True)),
                ("events", models.JSONField(blank=True, default=list)),
                (
                    "least_severity",
                    models.PositiveSmallIntegerField(choices=[(1, "Information"), (2, "Warning"), (3, "Critical")], default=2),
                ),
                ("quiet_from", models.TimeField(blank=True, null=True)),
                ("quiet_to", models.TimeField(blank=True, null=True, verbose_name="quiet until")),
                ("zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                ("resend_minutes", models.PositiveIntegerField(default=0, verbose_name="reminder after")),
                ("enabled", models.BooleanField(default=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical channel",
                "verbose_name_plural": "historical channels",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalMaintenanceWindow",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="Start")),
                ("ends_at", models.DateTimeField(db_index=True, verbose_name="End")),
                ("reason", models.CharField(max_length=200, verbose_name="Reason")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical maintenance window",
                "verbose_name_plural": "historical maintenance windows",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalRetention",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(db_index=True, max_length=40)),
                (
                    "days",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)],
                        verbose_name="Days",
                    ),
                ),
                (
                    "most_rows",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(100000000)],
                        verbose_name="Most rows",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical retention",
                "verbose_name_plural": "historical retentions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTestSchedule",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(db_index=True, max_length=60)),
                ("suites", models.JSONField(default=list, verbose_name="tests")),
                ("cron", models.CharField(max_length=100)),
                ("enabled", models.BooleanField(default=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical test schedule",
                "verbose_name_plural": "historical test schedules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalWatcher",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("url_hint", models.CharField(blank=True, editable=False, max_length=4)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical watcher",
                "verbose_name_plural": "historical watchers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="JournalImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("enqueued_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=100)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("fault", models.TextField(blank=True)),
                ("name", models.CharField(max_length=200)),
                ("year", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("zone", models.CharField(default="UTC", max_length=64)),
                ("lines", models.PositiveBigIntegerField(default=0)),
                ("recorded", models.PositiveBigIntegerField(default=0)),
                ("known_before", models.PositiveBigIntegerField(default=0)),
                ("unread", models.PositiveBigIntegerField(default=0)),
                ("samples", models.JSONField(default=list)),
                ("first_at", models.DateTimeField(blank=True, null=True)),
                ("last_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="journalimport_due"),
                    models.Index(fields=["-requested_at"], name="journal_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MaintenanceWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="Start")),
                ("ends_at", models.DateTimeField(db_index=True, verbose_name="End")),
                ("reason", models.CharField(max_length=200, verbose_name="Reason")),
                ("requested_by", models.CharField(blank=True, editable=False, max_length=150)),
                ("summed_up_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-starts_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="maintenance_ends_after_its_start"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("subject", models.CharField(blank=True, max_length=250)),
                ("number", models.PositiveIntegerField()),
                ("severity", models.PositiveSmallIntegerField(choices=[(1, "Information"), (2, "Warning"), (3, "Critical")])),
                ("at", models.DateTimeField()),
                ("title", models.CharField(max_length=200)),
                ("body", models.TextField(blank=True)),
                ("over_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["-at"], name="notice_newest")],
                "constraints": [models.UniqueConstraint(fields=("event", "subject", "number"), name="notice_once_a_change")],
            },
        ),
        migrations.CreateModel(
            name="RollupState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("hours_until", models.DateTimeField()),
                ("fives_until", models.DateTimeField()),
                ("last_step", models.PositiveBigIntegerField(default=0)),
                ("last_attempt", models.PositiveBigIntegerField(default=0)),
                ("checked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="rollup_state_only_one_row")],
            },
        ),
        migrations.CreateModel(
            name="StoredBytes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=20)),
                ("from_id", models.PositiveBigIntegerField()),
                ("details", models.PositiveBigIntegerField(default=0)),
                ("facts", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("table", "from_id"), name="stored_bytes_once_a_range")],
            },
        ),
        migrations.CreateModel(
            name="TestRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("enqueued_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=100)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("fault", models.TextField(blank=True)),
                ("suites", models.JSONField(default=list)),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("operator", "Operator"),
                            ("schedule", "Schedule"),
                            ("reset", "After a pause"),
                            ("command", "Command line"),
                        ],
                        max_length=10,
                    ),
                ),
                ("options", models.JSONField(default=dict)),
                ("parts_done", models.PositiveSmallIntegerField(default=0)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("doing", models.CharField(blank=True, max_length=200)),
                (
                    "verdict",
                    models.CharField(
                        blank=True, choices=[("ok", "OK"), ("warn", "Warning"), ("fail", "Failed"), ("skipped", "Skipped")], max_length=10
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="testrun_due"),
                    models.Index(fields=["-requested_at", "-id"], name="test_run_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1), condition=models.Q(("state__in", ["queued", "running"])), name="test_run_one_at_a_time"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TestSchedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("enqueued_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=100)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("fault", models.TextField(blank=True)),
                ("name", models.CharField(max_length=60, unique=True)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("suites", models.JSONField(default=list, verbose_name="tests")),
                ("cron", models.CharField(max_length=100)),
                ("enabled", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["id"],
                "abstract": False,
                "indexes": [models.Index(fields=["state", "due_at"], name="testschedule_due")],
            },
        ),
        migrations.CreateModel(
            name="Watcher",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url_sealed", models.TextField(blank=True, editable=False)),
                ("url_hint", models.CharField(blank=True, editable=False, max_length=4)),
                ("pinged_at", models.DateTimeField(editable=False, null=True)),
                ("is_up", models.BooleanField(editable=False, null=True)),
                ("fault", models.CharField(blank=True, editable=False, max_length=300)),
                ("newest_notice", models.PositiveBigIntegerField(default=0, editable=False)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="watcher_only_one_row")],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                (
                    "scope",
                    models.CharField(
                        choices=[("read", "Read"), ("operate", "Operate"), ("administer", "Administer")], default="read", max_length=10
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("last_four", models.CharField(editable=False, max_length=4)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="api_tokens", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)), fields=("user", "name"), name="api_token_one_of_a_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HealthCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("up", "Up"), ("degraded", "Degraded"), ("down", "Down"), ("unknown", "Unknown")], max_length=10
                    ),
                ),
                ("latency_ms", models.FloatField(blank=True, null=True)),
                ("message", models.CharField(blank=True, max_length=300)),
                (
                    "component",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="checks", to="monitoring.component"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["component", "-at"], name="health_check_newest"),
                    models.Index(fields=["at"], name="health_check_oldest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LogEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("level", models.PositiveSmallIntegerField()),
                ("logger", models.CharField(max_length=200)),
                ("message", models.TextField()),
                ("source", models.CharField(choices=[("own", "This miner"), ("imported", "Imported")], default="own", max_length=10)),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=functools.partial(agents.models.choices.pairs, *(monitoring.logs.journal.Kind,), **{}),
                        max_length=20,
                    ),
                ),
                ("facts", models.JSONField(default=dict)),
                ("host", models.CharField(blank=True, max_length=200)),
                ("process", models.CharField(blank=True, max_length=60)),
                ("step_uid", models.UUIDField(blank=True, null=True)),
                ("attempt_uid", models.UUIDField(blank=True, null=True)),
                ("digest", models.BinaryField(blank=True, max_length=16, null=True, unique=True)),
                (
                    "journal",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="monitoring.journalimport",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-at", "-id"], name="log_newest"),
                    models.Index(fields=["level", "-at"], name="log_by_level"),
                    models.Index(fields=["kind", "-at"], name="log_by_kind"),
                    models.Index(fields=["step_uid"], name="log_of_step"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("requested_by", models.CharField(blank=True, max_length=150)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("enqueued_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("claim", models.UUIDField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=100)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("fault", models.TextField(blank=True)),
                ("repeat", models.PositiveSmallIntegerField(default=0)),
                (
                    "channel",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="monitoring.channel"),
                ),
                (
                    "notice",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="monitoring.notice"),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["state", "due_at"], name="delivery_due")],
                "constraints": [models.UniqueConstraint(fields=("notice", "channel", "repeat"), name="delivery_once_a_channel")],
            },
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "span",
                    models.CharField(
                        choices=[("5min", "Five minutes"), ("hour", "Hour"), ("6h", "Six hours"), ("day", "Day")], max_length=4
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                (
                    "of",
                    models.CharField(
                        choices=[
                            ("steps", "Steps"),
                            ("project", "Steps by project"),
                            ("kind", "Steps by kind of task"),
                            ("llm_use", "Steps by use of the LLM"),
                            ("attempts", "LLM attempts"),
                            ("pauses", "Pauses"),
                        ],
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100)),
                ("route", models.CharField(blank=True, choices=[("llm", "LLM"), ("template", "Template")], max_length=10)),
                ("verdict", models.CharField(blank=True, max_length=10)),
                ("refusal", models.CharField(blank=True, max_length=20)),
                ("count", models.PositiveIntegerField(default=0)),
                ("in_time", models.PositiveIntegerField(default=0)),
                ("actions", models.PositiveBigIntegerField(default=0)),
                ("worked", models.PositiveIntegerField(default=0)),
                ("partly", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("too_many", models.PositiveIntegerField(default=0)),
                ("prompt_tokens", models.PositiveBigIntegerField(default=0)),
                ("completion_tokens", models.PositiveBigIntegerField(default=0)),
                ("cost", models.DecimalField(decimal_places=8, default=0, max_digits=16)),
                ("seconds", models.FloatField(default=0)),
                ("durations", models.BinaryField(default=b"")),
                (
                    "account",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="agents.account"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["span", "of", "starts_at"], name="rollup_of_a_time")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("account", None)),
                        fields=("span", "starts_at", "of", "name", "route"),
                        name="rollup_one_a_group_of_steps",
                    ),
                    models.UniqueConstraint(
                        fields=("span", "starts_at", "of", "account", "verdict", "refusal", "name"), name="rollup_one_a_group_of_attempts"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("page", models.CharField(choices=[("tasks", "Tasks"), ("steps", "Steps"), ("attempts", "LLM attempts")], max_length=10)),
                ("name", models.CharField(max_length=40)),
                ("query", models.CharField(blank=True, max_length=1000)),
                ("sort", models.CharField(blank=True, max_length=10)),
                ("is_shared", models.BooleanField(default=False, verbose_name="Shared with all users")),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="saved_views", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "constraints": [models.UniqueConstraint(fields=("user", "page", "name"), name="saved_view_one_of_a_name")],
            },
        ),
        migrations.CreateModel(
            name="TestResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("suite", models.CharField(max_length=10)),
                ("check_name", models.CharField(max_length=40)),
                ("subject", models.CharField(blank=True, max_length=200)),
                (
                    "verdict",
                    models.CharField(
                        choices=[("ok", "OK"), ("warn", "Warning"), ("fail", "Failed"), ("skipped", "Skipped")], max_length=10
                    ),
                ),
                ("done", models.TextField(blank=True)),
                ("came_back", models.TextField(blank=True)),
                ("meaning", models.TextField(blank=True)),
                ("next_step", models.TextField(blank=True)),
                ("facts", models.JSONField(default=dict)),
                ("lines", models.JSONField(default=list)),
                ("duration_ms", models.FloatField(default=0)),
                ("at", models.DateTimeField()),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="results", to="monitoring.testrun")),
            ],
            options={
                "indexes": [models.Index(fields=["check_name", "subject", "run"], name="test_result_of_check")],
                "constraints": [models.UniqueConstraint(fields=("run", "number"), name="test_result_numbered_within_run")],
            },
        ),
    ]
