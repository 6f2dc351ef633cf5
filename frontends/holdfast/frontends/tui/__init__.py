"""The TUI: every session on one screen of a terminal. A projection and a renderer; only the log changes it."""
