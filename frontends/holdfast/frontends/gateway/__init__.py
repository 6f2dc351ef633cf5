"""The daemon towards the outside: HTTP over loopback and a Unix socket. Knows ports of the domain, no adapter."""
