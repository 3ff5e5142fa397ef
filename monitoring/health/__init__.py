"""Health checks: a periodic look at each component, and what is made of it."""
