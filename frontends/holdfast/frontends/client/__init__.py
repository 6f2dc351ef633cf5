"""What talks to a daemon in the words of the contract: HTTP without an event loop, the stream with one. No store."""
