"""Fake Chutes: a real HTTP server with an account of its own, for trials and tests. It runs without Django."""
