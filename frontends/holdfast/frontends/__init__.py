"""What people and programs look at. Knows the domain, and nothing of any adapter."""
