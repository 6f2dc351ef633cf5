"""What keeps peers attached: agent hosts, keepers, recovery."""
