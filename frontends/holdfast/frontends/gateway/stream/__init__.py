"""The stream: one WebSocket an attachment; events, views and commands on it. See `docs/reference/stream.md`."""
