"""The daemon as a process: begun, found, told to end. What it serves is put together in `serve`."""
