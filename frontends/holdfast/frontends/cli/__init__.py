"""The command line: a thin path from arguments to the ports, and from what they answer to people or JSON."""
