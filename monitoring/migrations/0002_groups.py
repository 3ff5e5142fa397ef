"""Who may do what: the groups viewers, operators and admins, with their permissions."""

from django.db import migrations

# Permissions are otherwise made after all migrations, too late for the groups.
PERMISSIONS = {
    "view_panel": "Can look at every page",
    "submit_task": "Can submit tasks",
    "change_settings": "Can change settings and keys",
}
GROUPS = {
    "viewers": ["view_panel"],
    "operators": ["view_panel", "submit_task"],
    "admins": ["view_panel", "submit_task", "change_settings"],
}


def make_groups(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="monitoring", model="panel")
    permissions = apps.get_model("auth", "Permission").objects
    for codename, name in PERMISSIONS.items():
        permissions.get_or_create(content_type=content_type, codename=codename, defaults={"name": name})
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.set(permissions.filter(content_type=content_type, codename__in=codenames))


def remove_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, remove_groups)]
