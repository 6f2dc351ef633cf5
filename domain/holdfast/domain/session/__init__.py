"""The session aggregate: facts, the state they leave behind, what may be decided, and how state follows."""
