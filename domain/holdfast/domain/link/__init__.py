"""A link: one connection to a peer, which may carry many sessions. Its facts, and where it stands after them."""
