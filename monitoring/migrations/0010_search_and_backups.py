import django.core.validators
from django.db import migrations, models

from monitoring.search import indexes


class Migration(migrations.Migration):
    atomic = False  # Postgres makes its indexes beside readers and writers, outside of a transaction

    dependencies = [
        ("agents", "0009_newest_events"),
        ("monitoring", "0009_group_rollups"),
    ]

    operations = [
        migrations.CreateModel(
            name="TextIndexed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("from_id", models.PositiveBigIntegerField()),
                ("until_id", models.PositiveBigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_id__lte", models.F("until_id"))), name="text_indexed_from_before_until"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BackupPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("enabled", models.BooleanField(default=False)),
                ("cron", models.CharField(default="17 4 * * *", max_length=100)),
                ("folder", models.CharField(blank=True, max_length=500)),
                (
                    "keep",
                    models.PositiveIntegerField(
                        default=7, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)]
                    ),
                ),
                ("next_run_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("file", models.CharField(blank=True, max_length=600)),
                ("size_bytes", models.PositiveBigIntegerField(default=0)),
                ("fault", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="backup_plan_only_one_row")],
            },
        ),
        migrations.RunPython(indexes.make_on_sqlite, indexes.drop, atomic=True),
        migrations.RunPython(indexes.make_on_postgres, migrations.RunPython.noop),
    ]
