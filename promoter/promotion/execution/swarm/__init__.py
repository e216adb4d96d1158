"""Promotions to a Docker Swarm: services by digest, replaced by the swarm and watched until they have converged."""
