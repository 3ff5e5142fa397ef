"""Decisions as pure functions: time and randomness are arguments. Times are Unix seconds, durations seconds, money USD."""
