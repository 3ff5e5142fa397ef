"""Jobs: the one mechanism that runs them, and those that operators start."""
