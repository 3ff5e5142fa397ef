"""The miner: answers steps within the limits of its accounts, and records what it did."""

VERSION = "0.2.0"
