"""What talks to a daemon: over its Unix socket, in the words of the contract. Knows no store and no event loop."""
