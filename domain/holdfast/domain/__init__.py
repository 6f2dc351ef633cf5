"""What a session is and what may happen to it. Pure: no input or output, no clock, no event loop, no SQL."""
