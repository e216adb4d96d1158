"""Compare what runs in an environment now with the ledger."""
