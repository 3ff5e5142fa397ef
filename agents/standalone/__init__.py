"""The agent by itself: without database and settings, for validators that run it from its repository."""
