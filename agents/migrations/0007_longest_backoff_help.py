import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0006_llm_after_template"),
    ]

    operations = [
        migrations.AlterField(
            model_name="historicalsettings",
            name="backoff_max_seconds",
            field=models.FloatField(
                default=600,
                help_text="With fixed pacing: after the last pause of the list, the pause doubles up to this, in seconds. With either pacing it can't be shorter than that last pause.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)],
                verbose_name="Longest backoff",
            ),
        ),
        migrations.AlterField(
            model_name="settings",
            name="backoff_max_seconds",
            field=models.FloatField(
                default=600,
                help_text="With fixed pacing: after the last pause of the list, the pause doubles up to this, in seconds. With either pacing it can't be shorter than that last pause.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)],
                verbose_name="Longest backoff",
            ),
        ),
    ]
