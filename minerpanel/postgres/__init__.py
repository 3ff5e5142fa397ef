"""Django's Postgres backend with a time limit on each wait for the server. ENGINE: minerpanel.postgres."""
