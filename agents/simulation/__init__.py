"""What if: load, a hidden account and the miner's own gate on a virtual clock. Needs no database and no network."""
