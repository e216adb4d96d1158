"""A Docker Swarm, by the Docker Engine API of its managers."""
