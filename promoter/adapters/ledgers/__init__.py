"""Stores of the ledger, and what is cached or remembered beside them."""
