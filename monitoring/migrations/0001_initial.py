from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

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
                    ("change_settings", "Can change settings and keys"),
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
    ]
