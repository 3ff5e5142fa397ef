import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minerpanel.settings")

application = get_wsgi_application()

from django.db import connection  # noqa: E402 -- the settings are read first

from agents.accounts.miner_status import memory  # noqa: E402
from agents.database import PAGE_PATIENCE  # noqa: E402

if connection.vendor == "sqlite":
    connection.settings_dict["OPTIONS"]["timeout"] = PAGE_PATIENCE  # jobs wait longer

# Seconds that a thread waits for the interpreter while another one plans. With Python's default of 5 ms a step with thirty queries, which
# each release the interpreter, would take 0.15 s longer.
sys.setswitchinterval(0.001)
memory.keep_current()
