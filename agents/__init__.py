"""The miner: answers steps, governs the account, writes down what it did."""

VERSION = "0.1.0"
