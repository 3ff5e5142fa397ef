"""A stand-in for Chutes: a real HTTP server with an account of its own, for trials and tests. Needs the standard library alone."""
