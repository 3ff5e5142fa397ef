import agents.contract.action_history
import agents.contract.protocol
import agents.models.accounts
import agents.models.choices
import agents.models.settings
import agents.policy.modes
import agents.policy.reasons
import agents.policy.refusals
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import functools
import re
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="Letters, digits, hyphens and underscores.",
                        max_length=50,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                re.compile("^[-a-zA-Z0-9_]+\\Z"),
                                "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
                                "invalid",
                            )
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Accounts are tried in this order, 1 first.", verbose_name="Position"
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="A disabled account gets no request. Only an admin can enable it again.",
                        verbose_name="Enabled",
                    ),
                ),
                ("base_url", models.URLField(blank=True, help_text="Empty: CHUTES_BASE_URL of the environment.", verbose_name="Base URL")),
                (
                    "model_names",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Tried in this order. Empty: CHUTES_MODELS, else the three cheapest that list json_mode.",
                        validators=[agents.models.accounts.valid_models],
                        verbose_name="Models",
                    ),
                ),
                (
                    "request_options",
                    models.JSONField(
                        blank=True,
                        default=agents.models.accounts.default_options,
                        help_text="Sent with each call, as JSON. Remove what this provider refuses.",
                        validators=[agents.models.accounts.valid_options],
                        verbose_name="Request options",
                    ),
                ),
                (
                    "price_overrides",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='USD per million prompt and completion tokens, as {"some/model": [0.1, 0.4]}. Empty: as the provider lists them.',
                        validators=[agents.models.accounts.valid_prices],
                        verbose_name="Prices",
                    ),
                ),
                (
                    "management_url",
                    models.URLField(
                        blank=True,
                        help_text="Where the admin key reads balance, quota and caps. Empty: CHUTES_MANAGEMENT_URL.",
                        verbose_name="Management URL",
                    ),
                ),
                (
                    "miner_names",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Only these miners (MINER_NAME) call with this account. Empty: all of them.",
                        validators=[agents.models.accounts.valid_miners],
                        verbose_name="Miners",
                    ),
                ),
                ("key_sealed", models.TextField(blank=True, editable=False)),
                ("key_hint", models.CharField(blank=True, editable=False, max_length=4)),
                ("admin_key_sealed", models.TextField(blank=True, editable=False)),
                ("admin_key_hint", models.CharField(blank=True, editable=False, max_length=4)),
                ("catalogue", models.JSONField(blank=True, default=list, editable=False)),
            ],
            options={
                "ordering": ["position", "id"],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("exported_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("exported_by", models.CharField(blank=True, max_length=150)),
                ("version", models.CharField(max_length=20)),
                ("commit", models.CharField(blank=True, max_length=40)),
                ("options", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("files", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField()),
                ("archive", models.BinaryField()),
                ("replica", models.JSONField(blank=True, default=list)),
                ("replica_at", models.DateTimeField(blank=True, null=True)),
                ("replica_passed", models.BooleanField(null=True)),
            ],
            options={
                "ordering": ["-exported_at"],
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                ("beaten_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "source",
                    models.CharField(choices=[("validator", "Validator"), ("operator", "Operator"), ("test", "Test")], max_length=10),
                ),
                ("endpoint", models.CharField(max_length=40)),
                (
                    "form",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.contract.protocol.Form,), **{}), max_length=10
                    ),
                ),
                ("index", models.PositiveIntegerField(default=0)),
                ("url", models.TextField()),
                ("page_bytes", models.PositiveIntegerField(default=0)),
                ("page_excerpt", models.TextField(blank=True)),
                ("history_size", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
                ("deadline_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("duration_ms", models.FloatField(blank=True, null=True)),
                ("route", models.CharField(blank=True, choices=[("llm", "LLM"), ("template", "Template")], max_length=10)),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.Reason,), **{}),
                        max_length=10,
                    ),
                ),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("declined", models.JSONField(default=list)),
                ("limits", models.JSONField(default=dict)),
                ("confidence", models.FloatField(blank=True, null=True)),
                ("confidence_why", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("actions", models.JSONField(default=list)),
                ("done", models.BooleanField(default=False)),
                ("answer", models.TextField(blank=True, db_default="", default="")),
                ("fault", models.TextField(blank=True)),
                ("spooled", models.BooleanField(default=False)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=functools.partial(agents.models.choices.pairs, *(agents.contract.action_history.Outcome,), **{}),
                        max_length=10,
                    ),
                ),
                ("worked", models.JSONField(default=list)),
                ("caller_error", models.TextField(blank=True)),
                ("words", models.JSONField(default=list)),
                ("seen", models.JSONField(default=dict)),
                ("effect", models.TextField(blank=True)),
                ("notes", models.JSONField(default=list)),
                ("asked", models.JSONField(default=list)),
                ("miner", models.CharField(blank=True, db_default="", default="", max_length=50)),
            ],
        ),
        migrations.CreateModel(
            name="Gate",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to="agents.account"
                    ),
                ),
                ("last_slot_at", models.FloatField(default=0)),
                ("not_before", models.FloatField(default=0)),
                ("strikes", models.PositiveIntegerField(default=0)),
                ("paused_at", models.FloatField(default=0)),
                ("paused_until", models.FloatField(default=0)),
                (
                    "pause_source",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.PauseSource,), **{}),
                        default=agents.policy.reasons.PauseSource["LADDER"],
                        max_length=12,
                    ),
                ),
                ("probe_until", models.FloatField(default=0)),
                ("cause", models.CharField(blank=True, max_length=20)),
                ("blocked_at", models.FloatField(default=0)),
                ("rungs", models.PositiveIntegerField(default=0)),
                ("recovered_at", models.FloatField(default=0)),
                ("succeeded_at", models.FloatField(default=0)),
                ("cooldowns", models.JSONField(default=list)),
                ("pace", models.JSONField(default=dict)),
                ("claims", models.JSONField(default=list)),
                ("latencies", models.JSONField(default=dict)),
                ("quota", models.JSONField(default=dict)),
                ("control", models.CharField(blank=True, max_length=20)),
                ("control_at", models.FloatField(default=0)),
                ("estimated_at", models.FloatField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True)),
                ("by", models.CharField(blank=True, max_length=150)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("probe", "Probe now"),
                            ("pause", "Pause"),
                            ("resume", "Resume"),
                            ("clear", "Clear"),
                            ("channel_test", "Test message"),
                            ("login", "Log-in"),
                            ("login_failed", "Failed log-in"),
                            ("login_slowed", "Log-ins slowed down"),
                            ("second_factor", "Second factor"),
                            ("recovery_code", "Recovery code used"),
                            ("session", "Session ended"),
                            ("user", "User"),
                            ("token", "API token"),
                            ("token_use", "Done by a token"),
                            ("import", "Settings imported"),
                            ("export", "Agent exported"),
                            ("learned", "Learned facts changed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("seconds", models.FloatField(blank=True, null=True)),
                ("detail", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="audit", to="agents.account"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Caller",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.GenericIPAddressField(unique=True)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField(db_index=True)),
                ("steps", models.PositiveBigIntegerField(default=0)),
                ("llm_steps", models.PositiveBigIntegerField(default=0)),
                ("late_steps", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("llm_steps__lte", models.F("steps"))), name="caller_llm_within_steps")
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAccount",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        db_index=True,
                        help_text="Letters, digits, hyphens and underscores.",
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                re.compile("^[-a-zA-Z0-9_]+\\Z"),
                                "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
                                "invalid",
                            )
                        ],
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Accounts are tried in this order, 1 first.", verbose_name="Position"
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="A disabled account gets no request. Only an admin can enable it again.",
                        verbose_name="Enabled",
                    ),
                ),
                ("base_url", models.URLField(blank=True, help_text="Empty: CHUTES_BASE_URL of the environment.", verbose_name="Base URL")),
                (
                    "model_names",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Tried in this order. Empty: CHUTES_MODELS, else the three cheapest that list json_mode.",
                        validators=[agents.models.accounts.valid_models],
                        verbose_name="Models",
                    ),
                ),
                (
                    "request_options",
                    models.JSONField(
                        blank=True,
                        default=agents.models.accounts.default_options,
                        help_text="Sent with each call, as JSON. Remove what this provider refuses.",
                        validators=[agents.models.accounts.valid_options],
                        verbose_name="Request options",
                    ),
                ),
                (
                    "price_overrides",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='USD per million prompt and completion tokens, as {"some/model": [0.1, 0.4]}. Empty: as the provider lists them.',
                        validators=[agents.models.accounts.valid_prices],
                        verbose_name="Prices",
                    ),
                ),
                (
                    "management_url",
                    models.URLField(
                        blank=True,
                        help_text="Where the admin key reads balance, quota and caps. Empty: CHUTES_MANAGEMENT_URL.",
                        verbose_name="Management URL",
                    ),
                ),
                (
                    "miner_names",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Only these miners (MINER_NAME) call with this account. Empty: all of them.",
                        validators=[agents.models.accounts.valid_miners],
                        verbose_name="Miners",
                    ),
                ),
                ("key_hint", models.CharField(blank=True, editable=False, max_length=4)),
                ("admin_key_hint", models.CharField(blank=True, editable=False, max_length=4)),
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
                "verbose_name": "historical account",
                "verbose_name_plural": "historical accounts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSettings",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "pacing",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Pacing,), **{}),
                        default=agents.policy.modes.Pacing["FIXED"],
                        error_messages={
                            "invalid_choice": "“%(value)s” is no pacing. Choose fixed or auto, which took the place of learned."
                        },
                        help_text="Automatic: the spacing until the first answer, then the pace that gets most answers by what is known of the account's limit.",
                        max_length=10,
                        verbose_name="Pacing",
                    ),
                ),
                (
                    "risk",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Risk,), **{}),
                        default=agents.policy.modes.Risk["BALANCED"],
                        help_text="For automatic pacing. Cautious: slower, with fewer refusals. Eager: faster, with more of them.",
                        max_length=10,
                        verbose_name="Risk",
                    ),
                ),
                (
                    "spacing_seconds",
                    models.FloatField(
                        default=5,
                        help_text="Seconds between two requests of the account, across all processes. 0: none.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(3600)],
                        verbose_name="Spacing",
                    ),
                ),
                (
                    "backoff_seconds",
                    models.JSONField(
                        default=agents.models.settings.default_ladder,
                        help_text="The pause after each 429 in a row, in seconds. Then it doubles. Successes reset it. Automatic pacing uses the first only.",
                        validators=[agents.models.settings.valid_ladder],
                        verbose_name="Backoff",
                    ),
                ),
                (
                    "backoff_max_seconds",
                    models.FloatField(
                        default=600,
                        help_text="With fixed pacing: after the last pause of the list, the pause doubles up to this, in seconds. With either pacing it can't be shorter than that last pause.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)],
                        verbose_name="Longest backoff",
                    ),
                ),
                (
                    "key_check_minutes",
                    models.FloatField(
                        default=5,
                        help_text="Minutes between two checks of an account whose key was refused or whose balance is used up.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)],
                        verbose_name="Key check",
                    ),
                ),
                (
                    "probe_after_pause",
                    models.BooleanField(
                        default=True,
                        help_text="When a pause ends and no step comes, one request for a single token checks whether the account works again.",
                        verbose_name="Probe after a pause",
                    ),
                ),
                (
                    "deadline_seconds",
                    models.FloatField(
                        default=25,
                        help_text="Seconds in which a step is answered, unless its caller sets a timeout. 1.5 s of it are kept for sending the answer.",
                        validators=[django.core.validators.MinValueValidator(3), django.core.validators.MaxValueValidator(180)],
                        verbose_name="Deadline",
                    ),
                ),
                (
                    "agent_mode",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Mode,), **{}),
                        default=agents.policy.modes.Mode["HYBRID"],
                        help_text="Who answers. Hybrid uses the LLM where the account allows it, otherwise the template agent.",
                        max_length=10,
                        verbose_name="Agent mode",
                    ),
                ),
                (
                    "llm_use",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Use,), **{}),
                        default=agents.policy.modes.Use["ALWAYS"],
                        help_text="In hybrid mode. With the second and third, steps of which the template agent is sure are answered at once and use no slot; with the third only until a step of the task was unsure or failed: then the LLM keeps the task.",
                        max_length=20,
                        verbose_name="LLM is used",
                    ),
                ),
                (
                    "sure_from",
                    models.FloatField(
                        default=0.8,
                        help_text="From this confidence on, 0 to 1, the template agent is sure. A step's page shows its confidence.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)],
                        verbose_name="Sure from",
                    ),
                ),
                (
                    "agent_id",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="The miner's uid. Answers to one-shot tasks and whole plans have it as web_agent_id.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(65535)],
                        verbose_name="Agent id",
                    ),
                ),
                (
                    "max_task_usd",
                    models.FloatField(
                        default=0.05,
                        help_text="The most that the LLM calls of one task may cost; after that the template agent answers. 0: no limit.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)],
                        verbose_name="Cost of a task",
                    ),
                ),
                (
                    "daily_attempts",
                    models.PositiveIntegerField(
                        default=5000,
                        help_text="LLM requests of each account in a UTC day, tests and probes included; then the template agent answers. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Attempts a day",
                    ),
                ),
                (
                    "daily_usd",
                    models.FloatField(
                        default=5,
                        help_text="What the LLM requests of each account may cost in a UTC day. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100000)],
                        verbose_name="USD a day",
                    ),
                ),
                (
                    "caller_daily_attempts",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="LLM requests for the steps of one caller's address in a UTC day. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Attempts a day of a caller",
                    ),
                ),
                (
                    "caller_daily_usd",
                    models.FloatField(
                        default=0,
                        help_text="What the LLM requests for one caller's address may cost in a UTC day. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100000)],
                        verbose_name="USD a day of a caller",
                    ),
                ),
                (
                    "allowed_callers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Networks that get the LLM's slots first. All others together count as one caller, which gets what is left.",
                        validators=[agents.models.settings.valid_networks],
                        verbose_name="Allowed callers",
                    ),
                ),
                (
                    "blocked_callers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Networks that get the template agent only. Where an address is in both lists, the smaller network decides.",
                        validators=[agents.models.settings.valid_networks],
                        verbose_name="Blocked callers",
                    ),
                ),
                (
                    "fetch_pages",
                    models.BooleanField(
                        default=False,
                        help_text="Fetch the page of a one-shot task first, where the caller sent none and its site is unknown: at most 3 s and 2 MB.",
                        verbose_name="Fetch pages",
                    ),
                ),
                (
                    "fetch_hosts",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Only these are fetched from, on ports 80 and 443 or those named. Private addresses must be listed themselves.",
                        validators=[agents.models.settings.valid_hosts],
                        verbose_name="Hosts to fetch from",
                    ),
                ),
                (
                    "miner_api_url",
                    models.URLField(
                        blank=True,
                        help_text="The miner that the live API test posts to, such as http://127.0.0.1:8080. Empty: this one.",
                        validators=[agents.models.settings.valid_miner],
                        verbose_name="Miner API",
                    ),
                ),
                (
                    "retest_after_pause",
                    models.BooleanField(
                        default=True,
                        help_text="When an account is expected back after a rate limit, a direct key test runs automatically.",
                        verbose_name="Test after a pause",
                    ),
                ),
                (
                    "health_seconds",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="Seconds between two checks of each component.",
                        validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(3600)],
                        verbose_name="Health checks",
                    ),
                ),
                (
                    "failures_before_down",
                    models.PositiveSmallIntegerField(
                        default=2,
                        help_text="Failed checks in a row before a component is down.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)],
                        verbose_name="Failures before down",
                    ),
                ),
                (
                    "silence_minutes",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Minutes without a validator's request before a notification is sent. 0: never.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10080)],
                        verbose_name="Silence",
                    ),
                ),
                (
                    "least_llm_percent",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Per cent of the last hour's steps that the LLM should answer; below it a notification is sent. 0: never.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)],
                        verbose_name="Least LLM share",
                    ),
                ),
                (
                    "trace_prompts",
                    models.BooleanField(
                        default=False,
                        help_text="Where traces are sent (OTEL_EXPORTER_OTLP_ENDPOINT): with the prompts and replies of LLM calls, which hold callers' pages.",
                        verbose_name="Prompts in traces",
                    ),
                ),
                (
                    "keep_info_logs",
                    models.BooleanField(
                        default=False,
                        help_text="Warnings and errors are always kept. With this, INFO records are kept too.",
                        verbose_name="Keep INFO records",
                    ),
                ),
                (
                    "require_second_factor",
                    models.BooleanField(
                        default=False,
                        help_text="Who has no authenticator app and no passkey is led to add one, and can do nothing else until then.",
                        verbose_name="Require a second factor",
                    ),
                ),
                (
                    "records_mb",
                    models.PositiveIntegerField(
                        default=4000,
                        help_text="Tasks, steps and LLM attempts, with their indexes. Page excerpts, replies and tracebacks of the oldest steps are deleted first, then the oldest steps. The default has room for a million steps.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Records",
                    ),
                ),
                (
                    "pages_mb",
                    models.PositiveIntegerField(
                        default=500,
                        help_text="The pages with which steps can be answered again. The oldest are deleted first. By default some 50,000 pages.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Page archive",
                    ),
                ),
                (
                    "logs_mb",
                    models.PositiveIntegerField(
                        default=200,
                        help_text="Our own log records and imported lines. The oldest are deleted first. The default holds some 300,000 records.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Log records",
                    ),
                ),
                (
                    "free_disk_mb",
                    models.PositiveIntegerField(
                        default=500,
                        help_text="With less than this, or less than 2 % of the disk (at most 5 GB), page copies, excerpts, replies and INFO log records are no longer recorded and texts no longer indexed. Facts are. The default leaves room for the write-ahead log and the spool.",
                        validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Free disk space",
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
                "verbose_name": "historical settings",
                "verbose_name_plural": "historical settingss",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="LimitEstimate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "occasion",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.Occasion,), **{}), max_length=10
                    ),
                ),
                ("low", models.FloatField()),
                ("middle", models.FloatField()),
                ("high", models.FloatField()),
                ("pace", models.FloatField(null=True)),
                ("sent", models.PositiveIntegerField()),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="estimates", to="agents.account")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="LLMAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.Purpose,), **{}),
                        default=agents.policy.reasons.Purpose["STEP"],
                        max_length=10,
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("model", models.CharField(max_length=200)),
                ("lease", models.FloatField(blank=True, null=True)),
                ("decided_at", models.DateTimeField()),
                ("slot_at", models.DateTimeField()),
                ("cut_off_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("wait_ms", models.FloatField(blank=True, null=True)),
                ("latency_ms", models.FloatField(blank=True, null=True)),
                (
                    "verdict",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.Verdict,), **{}),
                        default=agents.policy.reasons.Verdict["OPEN"],
                        max_length=10,
                    ),
                ),
                (
                    "refusal",
                    models.CharField(
                        blank=True,
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.refusals.RefusalClass,), **{}),
                        max_length=20,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("detail", models.TextField(blank=True)),
                ("prompt_tokens", models.PositiveIntegerField(blank=True, null=True)),
                ("completion_tokens", models.PositiveIntegerField(blank=True, null=True)),
                ("reserved_usd", models.FloatField(db_default=0, default=0)),
                ("cost", models.DecimalField(blank=True, decimal_places=8, max_digits=12, null=True)),
                ("reply", models.TextField(blank=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="agents.account")),
                (
                    "step",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="agents.step"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Settings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "pacing",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Pacing,), **{}),
                        default=agents.policy.modes.Pacing["FIXED"],
                        error_messages={
                            "invalid_choice": "“%(value)s” is no pacing. Choose fixed or auto, which took the place of learned."
                        },
                        help_text="Automatic: the spacing until the first answer, then the pace that gets most answers by what is known of the account's limit.",
                        max_length=10,
                        verbose_name="Pacing",
                    ),
                ),
                (
                    "risk",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Risk,), **{}),
                        default=agents.policy.modes.Risk["BALANCED"],
                        help_text="For automatic pacing. Cautious: slower, with fewer refusals. Eager: faster, with more of them.",
                        max_length=10,
                        verbose_name="Risk",
                    ),
                ),
                (
                    "spacing_seconds",
                    models.FloatField(
                        default=5,
                        help_text="Seconds between two requests of the account, across all processes. 0: none.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(3600)],
                        verbose_name="Spacing",
                    ),
                ),
                (
                    "backoff_seconds",
                    models.JSONField(
                        default=agents.models.settings.default_ladder,
                        help_text="The pause after each 429 in a row, in seconds. Then it doubles. Successes reset it. Automatic pacing uses the first only.",
                        validators=[agents.models.settings.valid_ladder],
                        verbose_name="Backoff",
                    ),
                ),
                (
                    "backoff_max_seconds",
                    models.FloatField(
                        default=600,
                        help_text="With fixed pacing: after the last pause of the list, the pause doubles up to this, in seconds. With either pacing it can't be shorter than that last pause.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)],
                        verbose_name="Longest backoff",
                    ),
                ),
                (
                    "key_check_minutes",
                    models.FloatField(
                        default=5,
                        help_text="Minutes between two checks of an account whose key was refused or whose balance is used up.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)],
                        verbose_name="Key check",
                    ),
                ),
                (
                    "probe_after_pause",
                    models.BooleanField(
                        default=True,
                        help_text="When a pause ends and no step comes, one request for a single token checks whether the account works again.",
                        verbose_name="Probe after a pause",
                    ),
                ),
                (
                    "deadline_seconds",
                    models.FloatField(
                        default=25,
                        help_text="Seconds in which a step is answered, unless its caller sets a timeout. 1.5 s of it are kept for sending the answer.",
                        validators=[django.core.validators.MinValueValidator(3), django.core.validators.MaxValueValidator(180)],
                        verbose_name="Deadline",
                    ),
                ),
                (
                    "agent_mode",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Mode,), **{}),
                        default=agents.policy.modes.Mode["HYBRID"],
                        help_text="Who answers. Hybrid uses the LLM where the account allows it, otherwise the template agent.",
                        max_length=10,
                        verbose_name="Agent mode",
                    ),
                ),
                (
                    "llm_use",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.modes.Use,), **{}),
                        default=agents.policy.modes.Use["ALWAYS"],
                        help_text="In hybrid mode. With the second and third, steps of which the template agent is sure are answered at once and use no slot; with the third only until a step of the task was unsure or failed: then the LLM keeps the task.",
                        max_length=20,
                        verbose_name="LLM is used",
                    ),
                ),
                (
                    "sure_from",
                    models.FloatField(
                        default=0.8,
                        help_text="From this confidence on, 0 to 1, the template agent is sure. A step's page shows its confidence.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)],
                        verbose_name="Sure from",
                    ),
                ),
                (
                    "agent_id",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="The miner's uid. Answers to one-shot tasks and whole plans have it as web_agent_id.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(65535)],
                        verbose_name="Agent id",
                    ),
                ),
                (
                    "max_task_usd",
                    models.FloatField(
                        default=0.05,
                        help_text="The most that the LLM calls of one task may cost; after that the template agent answers. 0: no limit.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)],
                        verbose_name="Cost of a task",
                    ),
                ),
                (
                    "daily_attempts",
                    models.PositiveIntegerField(
                        default=5000,
                        help_text="LLM requests of each account in a UTC day, tests and probes included; then the template agent answers. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Attempts a day",
                    ),
                ),
                (
                    "daily_usd",
                    models.FloatField(
                        default=5,
                        help_text="What the LLM requests of each account may cost in a UTC day. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100000)],
                        verbose_name="USD a day",
                    ),
                ),
                (
                    "caller_daily_attempts",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="LLM requests for the steps of one caller's address in a UTC day. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Attempts a day of a caller",
                    ),
                ),
                (
                    "caller_daily_usd",
                    models.FloatField(
                        default=0,
                        help_text="What the LLM requests for one caller's address may cost in a UTC day. 0: no cap.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100000)],
                        verbose_name="USD a day of a caller",
                    ),
                ),
                (
                    "allowed_callers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Networks that get the LLM's slots first. All others together count as one caller, which gets what is left.",
                        validators=[agents.models.settings.valid_networks],
                        verbose_name="Allowed callers",
                    ),
                ),
                (
                    "blocked_callers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Networks that get the template agent only. Where an address is in both lists, the smaller network decides.",
                        validators=[agents.models.settings.valid_networks],
                        verbose_name="Blocked callers",
                    ),
                ),
                (
                    "fetch_pages",
                    models.BooleanField(
                        default=False,
                        help_text="Fetch the page of a one-shot task first, where the caller sent none and its site is unknown: at most 3 s and 2 MB.",
                        verbose_name="Fetch pages",
                    ),
                ),
                (
                    "fetch_hosts",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Only these are fetched from, on ports 80 and 443 or those named. Private addresses must be listed themselves.",
                        validators=[agents.models.settings.valid_hosts],
                        verbose_name="Hosts to fetch from",
                    ),
                ),
                (
                    "miner_api_url",
                    models.URLField(
                        blank=True,
                        help_text="The miner that the live API test posts to, such as http://127.0.0.1:8080. Empty: this one.",
                        validators=[agents.models.settings.valid_miner],
                        verbose_name="Miner API",
                    ),
                ),
                (
                    "retest_after_pause",
                    models.BooleanField(
                        default=True,
                        help_text="When an account is expected back after a rate limit, a direct key test runs automatically.",
                        verbose_name="Test after a pause",
                    ),
                ),
                (
                    "health_seconds",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="Seconds between two checks of each component.",
                        validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(3600)],
                        verbose_name="Health checks",
                    ),
                ),
                (
                    "failures_before_down",
                    models.PositiveSmallIntegerField(
                        default=2,
                        help_text="Failed checks in a row before a component is down.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)],
                        verbose_name="Failures before down",
                    ),
                ),
                (
                    "silence_minutes",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Minutes without a validator's request before a notification is sent. 0: never.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10080)],
                        verbose_name="Silence",
                    ),
                ),
                (
                    "least_llm_percent",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Per cent of the last hour's steps that the LLM should answer; below it a notification is sent. 0: never.",
                        validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)],
                        verbose_name="Least LLM share",
                    ),
                ),
                (
                    "trace_prompts",
                    models.BooleanField(
                        default=False,
                        help_text="Where traces are sent (OTEL_EXPORTER_OTLP_ENDPOINT): with the prompts and replies of LLM calls, which hold callers' pages.",
                        verbose_name="Prompts in traces",
                    ),
                ),
                (
                    "keep_info_logs",
                    models.BooleanField(
                        default=False,
                        help_text="Warnings and errors are always kept. With this, INFO records are kept too.",
                        verbose_name="Keep INFO records",
                    ),
                ),
                (
                    "require_second_factor",
                    models.BooleanField(
                        default=False,
                        help_text="Who has no authenticator app and no passkey is led to add one, and can do nothing else until then.",
                        verbose_name="Require a second factor",
                    ),
                ),
                (
                    "records_mb",
                    models.PositiveIntegerField(
                        default=4000,
                        help_text="Tasks, steps and LLM attempts, with their indexes. Page excerpts, replies and tracebacks of the oldest steps are deleted first, then the oldest steps. The default has room for a million steps.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Records",
                    ),
                ),
                (
                    "pages_mb",
                    models.PositiveIntegerField(
                        default=500,
                        help_text="The pages with which steps can be answered again. The oldest are deleted first. By default some 50,000 pages.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Page archive",
                    ),
                ),
                (
                    "logs_mb",
                    models.PositiveIntegerField(
                        default=200,
                        help_text="Our own log records and imported lines. The oldest are deleted first. The default holds some 300,000 records.",
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Log records",
                    ),
                ),
                (
                    "free_disk_mb",
                    models.PositiveIntegerField(
                        default=500,
                        help_text="With less than this, or less than 2 % of the disk (at most 5 GB), page copies, excerpts, replies and INFO log records are no longer recorded and texts no longer indexed. Facts are. The default leaves room for the write-ahead log and the spool.",
                        validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="Free disk space",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="settings_only_one_row"),
                    models.CheckConstraint(condition=models.Q(("spacing_seconds__gte", 0)), name="settings_spacing_not_negative"),
                    models.CheckConstraint(condition=models.Q(("deadline_seconds__gte", 3)), name="settings_deadline_long_enough"),
                    models.CheckConstraint(condition=models.Q(("max_task_usd__gte", 0)), name="settings_task_cost_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("caller_daily_usd__gte", 0), ("daily_usd__gte", 0)), name="settings_daily_cost_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Unlearned",
            fields=[
                (
                    "step",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="agents.step"
                    ),
                ),
                ("settles_at", models.DateTimeField(blank=True, db_index=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Learned",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(max_length=200)),
                ("project", models.CharField(blank=True, max_length=100)),
                ("callers", models.CharField(blank=True, max_length=50)),
                (
                    "kind",
                    models.CharField(
                        choices=[("route", "Route"), ("list", "List"), ("form", "Form"), ("effect", "Effect"), ("solution", "Solution")],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("facts", models.JSONField(default=dict)),
                ("won", models.PositiveIntegerField(default=0)),
                ("lost", models.PositiveIntegerField(default=0)),
                ("by_hand", models.BooleanField(default=False)),
                ("size", models.PositiveIntegerField()),
                ("seen_at", models.DateTimeField()),
                (
                    "step",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="agents.step"
                    ),
                ),
            ],
            options={
                "verbose_name": "learned fact",
            },
        ),
        migrations.CreateModel(
            name="SystemSchedule",
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
                ("when", models.CharField(max_length=100)),
                ("time_limit", models.PositiveIntegerField(default=120)),
                ("result", models.TextField(blank=True)),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["state", "due_at"], name="systemschedule_due")],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64, unique=True)),
                ("key", models.CharField(db_index=True, max_length=200)),
                (
                    "source",
                    models.CharField(choices=[("validator", "Validator"), ("operator", "Operator"), ("test", "Test")], max_length=10),
                ),
                ("caller", models.GenericIPAddressField(blank=True, null=True)),
                ("prompt", models.TextField()),
                ("url", models.TextField()),
                ("project", models.CharField(blank=True, max_length=100)),
                ("kind", models.CharField(blank=True, max_length=40)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-created_at", "-id"], name="task_newest"),
                    models.Index(fields=["project", "-created_at"], name="task_by_project"),
                    models.Index(fields=["source", "-created_at"], name="task_by_source"),
                    models.Index(fields=["caller", "-created_at"], name="task_by_caller"),
                    models.Index(fields=["kind", "-created_at"], name="task_by_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
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
                ("page", models.TextField(blank=True)),
                ("task", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="submission", to="agents.task")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="step",
            name="task",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="agents.task"),
        ),
        migrations.CreateModel(
            name="UnknownCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("method", models.CharField(blank=True, max_length=10)),
                ("path", models.CharField(blank=True, max_length=200)),
                ("is_task", models.BooleanField(default=False)),
                ("calls", models.PositiveBigIntegerField(default=0)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("method", "path"), name="unknown_call_once_a_path")],
            },
        ),
        migrations.CreateModel(
            name="WhatIf",
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
                ("hours", models.PositiveSmallIntegerField(default=24)),
                ("settings", models.JSONField(default=dict)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="whatif_due"),
                    models.Index(fields=["-requested_at"], name="what_if_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1), condition=models.Q(("state__in", ["queued", "running"])), name="what_if_one_at_a_time"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountJob",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("probe", "Probe"),
                            ("probe_if_due", "Probe after a pause"),
                            ("read_quota", "Read quota and balance"),
                            ("read_cap", "Read when the cap resets"),
                        ],
                        max_length=20,
                    ),
                ),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="agents.account")),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["state", "due_at"], name="accountjob_due")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("account", "kind"),
                        name="account_job_one_at_a_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DailyUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("caller", models.GenericIPAddressField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("usd", models.FloatField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="daily_use", to="agents.account"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("day", "account"), name="daily_use_one_an_account"),
                    models.UniqueConstraint(fields=("day", "caller"), name="daily_use_one_a_caller"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", None), ("caller__isnull", False)),
                            models.Q(("account__isnull", False), ("caller", None)),
                            _connector="OR",
                        ),
                        name="daily_use_of_an_account_or_a_caller",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QuotaReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("read_at", models.DateTimeField()),
                ("balance", models.FloatField(blank=True, null=True)),
                ("daily_total", models.FloatField(blank=True, null=True)),
                ("daily_used", models.FloatField(blank=True, null=True)),
                ("is_unlimited", models.BooleanField(default=False)),
                ("is_subscribed", models.BooleanField(blank=True, null=True)),
                ("four_hour_cap", models.FloatField(blank=True, null=True)),
                ("four_hour_used", models.FloatField(blank=True, null=True)),
                ("four_hour_reset_at", models.DateTimeField(blank=True, null=True)),
                ("monthly_cap", models.FloatField(blank=True, null=True)),
                ("monthly_used", models.FloatField(blank=True, null=True)),
                ("monthly_reset_at", models.DateTimeField(blank=True, null=True)),
                ("fault", models.CharField(blank=True, max_length=300)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="readings", to="agents.account")),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-read_at"], name="reading_newest")],
            },
        ),
        migrations.CreateModel(
            name="RateLimitEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(blank=True, max_length=200)),
                (
                    "refusal",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.refusals.RefusalClass,), **{}), max_length=20
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("detail", models.TextField(blank=True)),
                ("strike", models.PositiveIntegerField()),
                ("pause_seconds", models.FloatField()),
                (
                    "pause_source",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.PauseSource,), **{}), max_length=12
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("block_started_at", models.DateTimeField()),
                ("predicted_at", models.DateTimeField(blank=True, null=True)),
                ("predicted_from", models.DateTimeField(blank=True, null=True)),
                ("predicted_to", models.DateTimeField(blank=True, null=True)),
                (
                    "prediction_source",
                    models.CharField(
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.PauseSource,), **{}), max_length=12
                    ),
                ),
                ("confidence", models.FloatField(default=0)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("recovered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[("succeeded", "A request succeeded"), ("timer", "Timer ended, refused again"), ("operator", "Operator")],
                        max_length=10,
                    ),
                ),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="events", to="agents.account")),
                (
                    "attempt",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="event", to="agents.llmattempt"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-started_at"], name="event_newest"),
                    models.Index(fields=["-started_at", "-id"], name="event_newest_of_all"),
                    models.Index(fields=["refusal", "-started_at", "-id"], name="event_newest_by_refusal"),
                    models.Index(fields=["ended_by", "-started_at", "-id"], name="event_newest_by_end"),
                    models.Index(fields=["model", "-started_at", "-id"], name="event_newest_by_model"),
                    models.Index(condition=models.Q(("model__gt", "")), fields=["-started_at", "-id"], name="event_newest_of_a_model"),
                    models.Index(fields=["account", "refusal", "-recovered_at"], name="event_recovered"),
                    models.Index(fields=["ended_by", "account"], name="event_open"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_by", "")), fields=("account", "model"), name="event_one_open_an_account_and_model"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StepPage",
            fields=[
                (
                    "step",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="kept_page",
                        serialize=False,
                        to="agents.step",
                    ),
                ),
                ("gz", models.BinaryField()),
                ("kept_until", models.DateTimeField(db_index=True)),
            ],
            options={
                "indexes": [models.Index(django.db.models.functions.text.Length("gz"), name="step_page_bytes")],
            },
        ),
        migrations.CreateModel(
            name="Replay",
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
                (
                    "way",
                    models.CharField(
                        choices=[("as_set", "As the settings say"), ("template", "Template agent only"), ("model", "One model")],
                        default="as_set",
                        max_length=10,
                    ),
                ),
                ("model", models.CharField(blank=True, max_length=200)),
                ("deadline_seconds", models.FloatField(default=25)),
                ("route", models.CharField(blank=True, choices=[("llm", "LLM"), ("template", "Template")], max_length=10)),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=functools.partial(agents.models.choices.pairs, *(agents.policy.reasons.Reason,), **{}),
                        max_length=10,
                    ),
                ),
                ("duration_ms", models.FloatField(blank=True, null=True)),
                ("actions", models.JSONField(default=list)),
                ("done", models.BooleanField(default=False)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="replays", to="agents.account"
                    ),
                ),
                ("attempts", models.ManyToManyField(blank=True, related_name="+", to="agents.llmattempt")),
                ("step", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="replays", to="agents.step")),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["state", "due_at"], name="replay_due"),
                    models.Index(fields=["step", "-requested_at"], name="replay_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])), fields=("step",), name="replay_one_for_a_step"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["-decided_at", "-id"], name="attempt_newest"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["verdict", "-decided_at"], name="attempt_by_verdict"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["status", "-decided_at"], name="attempt_by_status"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["refusal", "-decided_at"], name="attempt_by_refusal"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["purpose", "-decided_at"], name="attempt_by_purpose"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["model", "-decided_at"], name="attempt_by_model"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["-latency_ms", "-id"], name="attempt_longest"),
        ),
        migrations.AddIndex(
            model_name="llmattempt",
            index=models.Index(fields=["-cost", "-id"], name="attempt_dearest"),
        ),
        migrations.AddConstraint(
            model_name="llmattempt",
            constraint=models.UniqueConstraint(fields=("step", "number"), name="attempt_numbered_within_step"),
        ),
        migrations.AddConstraint(
            model_name="llmattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("verdict", agents.policy.reasons.Verdict["OPEN"]), ("ended_at__isnull", False), _connector="OR"),
                name="attempt_ended_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="llmattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose", agents.policy.reasons.Purpose["STEP"]), ("step__isnull", False)),
                    models.Q(models.Q(("purpose", agents.policy.reasons.Purpose["STEP"]), _negated=True), ("step", None)),
                    _connector="OR",
                ),
                name="attempt_of_a_step_or_for_another_purpose",
            ),
        ),
        migrations.AddIndex(
            model_name="learned",
            index=models.Index(fields=["project", "callers"], name="learned_by_project"),
        ),
        migrations.AddIndex(
            model_name="learned",
            index=models.Index(fields=["seen_at", "size"], name="learned_oldest"),
        ),
        migrations.AddConstraint(
            model_name="learned",
            constraint=models.UniqueConstraint(fields=("site", "callers", "kind", "key"), name="learned_once_a_site_and_callers"),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["state", "due_at"], name="submission_due"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["-received_at", "-id", "task"], name="step_newest"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["source", "-received_at", "route", "duration_ms"], name="step_figures"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["route", "-received_at"], name="step_by_route"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["reason", "-received_at"], name="step_by_reason"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["miner", "-received_at"], name="step_by_miner"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["outcome", "-received_at"], name="step_by_outcome"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["task", "index", "id", "route", "reason", "outcome"], name="step_of_task"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["-duration_ms", "-id"], name="step_longest"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(
                condition=models.Q(("answered_at__gt", models.F("deadline_at"))), fields=["-received_at", "task"], name="step_late"
            ),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answered_at", None), ("route", "")),
                    models.Q(("answered_at__isnull", False), ("route__in", ["llm", "template"])),
                    _connector="OR",
                ),
                name="step_answered_by_a_route",
            ),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("route", "llm"), _negated=True), ("reason", agents.policy.reasons.Reason["ANSWERED"]), _connector="OR"
                ),
                name="step_llm_route_is_answered",
            ),
        ),
    ]
