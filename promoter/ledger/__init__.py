"""Facts, their chain, the state that follows from them, and leases. Pure, over a store."""
