"""What runs in an environment now, compared with what the ledger says."""
