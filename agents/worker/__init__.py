"""The job cluster and what watches over it."""
