"""When a person is told of something, and when that is taken back. Pure: log, settings, focus and time go in."""
