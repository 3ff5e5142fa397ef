"""Roll-ups: raw rows summed by hour and day. `rolling` knows what is due, `summing` how it is summed."""
