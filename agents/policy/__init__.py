"""Decisions as pure functions: time and randomness are arguments."""
