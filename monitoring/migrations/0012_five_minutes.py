from django.db import migrations, models
from django.db.models import F
from django.utils import timezone

SPANS = [("5min", "Five minutes"), ("hour", "Hour"), ("day", "Day")]


def begin_at_the_hours(apps, schema_editor):
    """Five minutes are summed from where the hours are, forwards and then back."""
    apps.get_model("monitoring", "RollupState").objects.update(fives_from=F("until_at"), fives_until=F("until_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0011_cancelled_imports"),
    ]

    operations = [
        *(
            migrations.AlterField(model_name=name, name="span", field=models.CharField(choices=SPANS, max_length=4))
            for name in ("attemptrollup", "grouprollup", "pauserollup", "steprollup")
        ),
        migrations.AddField("rollupstate", "fives_from", models.DateTimeField(default=timezone.now), preserve_default=False),
        migrations.AddField("rollupstate", "fives_until", models.DateTimeField(default=timezone.now), preserve_default=False),
        migrations.RunPython(begin_at_the_hours, migrations.RunPython.noop),
    ]
