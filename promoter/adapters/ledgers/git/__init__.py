"""A ledger on a branch of a Git repository: one commit a fact, leases as refs beside it."""
