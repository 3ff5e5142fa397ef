"""The integration tests: suites, runs, reports and schedules."""
