"""Validators' traffic for the demo: tasks, pages and callers of every generation, from a seed."""
