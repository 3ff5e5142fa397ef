"""Fake Chutes: an HTTP server that behaves like Chutes, with one hidden account, for tests and the demo. Runs without Django."""
