"""The OpenSSH client programs: connections to engines, and signing with ssh-keygen."""
