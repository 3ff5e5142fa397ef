"""What pages report: ranges of time, their figures and charts, lists, filters and files."""
