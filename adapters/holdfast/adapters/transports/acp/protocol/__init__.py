"""ACP without I/O: no event loop, no socket, no clock. Bytes go in, observations and facts come out, and the reverse.

`framing` cuts bytes into messages, `envelope` tells what a message is, `connection` knows which answers belong to which
requests, `session` what they mean for a conversation, `translate` which facts that makes.
"""
