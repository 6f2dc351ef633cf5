"""The roster: all sessions in the order in which they want a person."""
