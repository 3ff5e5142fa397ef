"""What lists and charts share: ranges of time, roll-ups, pagination, filters, search, exports."""
