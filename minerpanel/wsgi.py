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

# A thread that needs the interpreter waits this long for one that plans; by Python's 5 ms a step with thirty queries, each of which gives
# the interpreter away, would wait 0.15 s more.
sys.setswitchinterval(0.001)
memory.keep_current()
