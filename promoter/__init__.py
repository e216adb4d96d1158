"""promoter carries a container image, byte for byte, from DEV to TEST to PROD."""

__version__ = "0.1.0"
