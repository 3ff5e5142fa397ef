"""What all parts of the miner share."""
