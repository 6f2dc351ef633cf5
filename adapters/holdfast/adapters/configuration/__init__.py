"""What a user sets: where the home is, and what its configuration file says."""
