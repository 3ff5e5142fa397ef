from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0010_longest_steps"),
    ]

    operations = [
        migrations.RemoveIndex("step", "step_of_task"),
        migrations.AddIndex("step", models.Index(fields=["task", "index", "id", "route", "reason", "outcome"], name="step_of_task")),
    ]
