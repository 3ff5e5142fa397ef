from django.db import migrations

from monitoring.reporting import search


class Migration(migrations.Migration):
    atomic = False  # Postgres makes its indexes beside readers and writers, outside of a transaction

    dependencies = [
        ("agents", "0001_initial"),
        ("monitoring", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(search.make_on_sqlite, search.drop, atomic=True),
        migrations.RunPython(search.make_on_postgres, migrations.RunPython.noop),
    ]
