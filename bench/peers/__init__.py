"""What others do with the same account under the same load: `make bench-peers`."""
