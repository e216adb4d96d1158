"""Rollout strategies: how a new container takes the place of the one before."""
