from collections import Counter
from datetime import UTC, datetime
from itertools import groupby

from django.db import migrations, models

SPANS = [("5min", "Five minutes"), ("hour", "Hour"), ("6h", "Six hours"), ("day", "Day")]
SIX_HOURS = 6 * 3600
STEP_SUMS = ("count", "in_time", "late", "actions", "cost", "worked", "partly", "failed", "durations")
# What tells groups apart, and what is summed of them.
ROLLUPS = {
    "StepRollup": (("source", "is_total", "route", "reason", "project"), STEP_SUMS),
    "GroupRollup": (("source", "route", "by", "name"), STEP_SUMS),
    "AttemptRollup": (
        ("account_id", "purpose", "model", "verdict", "refusal", "status"),
        ("count", "prompt_tokens", "completion_tokens", "cost", "latencies"),
    ),
    "PauseRollup": (("account_id",), ("seconds",)),
}


def sum_hours(apps, schema_editor):
    """Six hours each, of the hours that are summed: their raw rows may be gone."""
    state = apps.get_model("monitoring", "RollupState").objects.first()
    for name, (key, sums) in ROLLUPS.items() if state else ():
        model = apps.get_model("monitoring", name)
        hours = model.objects.filter(span="hour", starts_at__lt=begun(state.until_at)).order_by("starts_at")
        rows = hours.values_list("starts_at", *key, *sums).iterator(500)
        for starts_at, some in groupby(rows, key=lambda row: begun(row[0])):
            write(model, starts_at, key, sums, some)


def write(model, starts_at, key, sums, rows):
    """Six hours of one roll-up."""
    groups = {}
    for _, *row in rows:
        group, values = tuple(row[: len(key)]), row[len(key) :]
        groups[group] = [added(old, new) for old, new in zip(groups[group], values, strict=True)] if group in groups else values
    model.objects.bulk_create(
        (
            model(span="6h", starts_at=starts_at, **dict(zip((*key, *sums), (*group, *values), strict=True)))
            for group, values in groups.items()
        ),
        batch_size=50,
    )


def added(old, new):
    """Numbers, or counts by bucket."""
    return dict(Counter(old) + Counter(new)) if isinstance(old, dict) else old + new


def begun(at):
    """When the six hours began that a time lies in."""
    return datetime.fromtimestamp(at.timestamp() // SIX_HOURS * SIX_HOURS, UTC)


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0013_cancelled_backups"),
    ]

    operations = [
        *(
            migrations.AlterField(model_name=name, name="span", field=models.CharField(choices=SPANS, max_length=4))
            for name in ("attemptrollup", "grouprollup", "pauserollup", "steprollup")
        ),
        migrations.RunPython(sum_hours, migrations.RunPython.noop),
    ]
