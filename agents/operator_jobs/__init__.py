"""Jobs: the mechanism that runs all of them, and those that operators start."""
