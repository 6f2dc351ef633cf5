"""Agents that outlive the daemon: the host process around each of them, and the daemon's side of it.

`process`, `protocol`, `spool`, `agent` and `processes` are the host itself: standard library only, run with `-I -S`.
"""
