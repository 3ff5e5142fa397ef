"""Operators and admins may probe, pause, resume and clear accounts."""

from django.db import migrations

CODENAME, NAME = "control_account", "Can probe, pause, resume and clear accounts"
GROUPS = ["operators", "admins"]


def allow(apps, schema_editor):
    content_type = apps.get_model("contenttypes", "ContentType").objects.get(app_label="monitoring", model="panel")
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=CODENAME, defaults={"name": NAME}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        group.permissions.add(permission)


def forbid(apps, schema_editor):
    apps.get_model("auth", "Permission").objects.filter(content_type__app_label="monitoring", codename=CODENAME).delete()


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0003_tests_health_logs_notices")]

    operations = [
        migrations.AlterModelOptions(
            name="panel",
            options={
                "managed": False,
                "default_permissions": (),
                "permissions": [
                    ("view_panel", "Can look at every page"),
                    ("submit_task", "Can submit tasks"),
                    ("control_account", "Can probe, pause, resume and clear accounts"),
                    ("change_settings", "Can change settings and keys"),
                ],
            },
        ),
        migrations.RunPython(allow, forbid),
    ]
