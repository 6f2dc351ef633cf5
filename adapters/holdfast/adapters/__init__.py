"""What touches the outside: stores, peers, processes, files. Knows the domain, and nothing of any frontend."""
