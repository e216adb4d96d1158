"""What people, CI systems and browsers see. Decides nothing."""
