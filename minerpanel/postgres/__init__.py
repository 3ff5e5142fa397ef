"""Django's Postgres backend with an end to each wait for the server. ENGINE: minerpanel.postgres."""
