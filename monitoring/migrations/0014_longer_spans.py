from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db import migrations, models

SPANS = [("5min", "Five minutes"), ("hour", "Hour"), ("6h", "Six hours"), ("day", "Day"), ("29d", "29 days")]
HOURS, DAYS, KEPT = timedelta(hours=6), timedelta(days=1), timedelta(days=90)
# The new spans: how long they are, how far apart two of them begin, and of what they are summed.
LONGER = {"6h": (HOURS, HOURS, "hour"), "29d": (29 * DAYS, DAYS, "day")}
STEP_SUMS = ("count", "in_time", "late", "actions", "cost", "worked", "partly", "failed", "durations")
# What tells groups apart, and what is summed of them.
ROLLUPS = {
    "StepRollup": (("source", "route"), STEP_SUMS),
    "GroupRollup": (("source", "route", "by", "name"), STEP_SUMS),
    "AttemptRollup": (
        ("account_id", "purpose", "model", "verdict", "refusal", "status"),
        ("count", "prompt_tokens", "completion_tokens", "cost", "latencies"),
    ),
    "PauseRollup": (("account_id",), ("seconds",)),
}


def forget_details(apps, schema_editor):
    """No page reads steps by reason and project from here."""
    apps.get_model("monitoring", "StepRollup").objects.filter(is_total=False).delete()


def sum_longer(apps, schema_editor):
    """The new spans, of shorter ones that are summed: their raw rows may be gone."""
    state = apps.get_model("monitoring", "RollupState").objects.first()
    for name, (key, sums) in ROLLUPS.items() if state else ():
        for span in LONGER:
            write(apps.get_model("monitoring", name), span, key, sums, state)


def write(model, span, key, sums, state):
    """All of one roll-up and span."""
    length, step, of = LONGER[span]
    shorter = model.objects.filter(span=of)
    oldest = shorter.aggregate(oldest=models.Min("starts_at"))["oldest"]
    if oldest is None:
        return
    starts_at = max(floor(oldest, step) - length + step, floor(state.until_at - KEPT, step))
    while starts_at + length <= state.until_at:
        rows = shorter.filter(starts_at__gte=starts_at, starts_at__lt=starts_at + length).order_by().values_list(*key, *sums)
        groups = summed(rows.iterator(500), len(key))
        created = (model(span=span, starts_at=starts_at, **dict(zip((*key, *sums), row, strict=True))) for row in groups)
        model.objects.bulk_create(created, batch_size=50)
        starts_at += step


def summed(rows, size):
    """Rows with the same key, the first `size` columns, as one."""
    groups = {}
    for row in rows:
        group, values = row[:size], row[size:]
        groups[group] = [added(old, new) for old, new in zip(groups[group], values, strict=True)] if group in groups else values
    return [(*group, *values) for group, values in groups.items()]


def added(old, new):
    """Numbers, or counts by bucket."""
    return dict(Counter(old) + Counter(new)) if isinstance(old, dict) else old + new


def floor(at, step):
    """When that began which a time lies in."""
    return datetime.fromtimestamp(at.timestamp() // step.total_seconds() * step.total_seconds(), UTC)


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0013_cancelled_backups"),
    ]

    operations = [
        migrations.RunPython(forget_details, migrations.RunPython.noop),
        migrations.RemoveIndex("steprollup", "step_rollup_totals"),
        migrations.RemoveIndex("steprollup", "step_rollup_details"),
        migrations.RemoveConstraint("steprollup", "step_rollup_one_a_group"),
        *(migrations.RemoveField("steprollup", name) for name in ("is_total", "reason", "project")),
        migrations.AddConstraint(
            "steprollup",
            models.UniqueConstraint(fields=("span", "starts_at", "source", "route"), name="step_rollup_one_a_group"),
        ),
        migrations.AddIndex("steprollup", models.Index(fields=["span", "source", "starts_at"], name="step_rollup_of_a_time")),
        *(
            migrations.AlterField(model_name=name, name="span", field=models.CharField(choices=SPANS, max_length=4))
            for name in ("attemptrollup", "grouprollup", "pauserollup", "steprollup")
        ),
        migrations.RunPython(sum_longer, migrations.RunPython.noop),
    ]
