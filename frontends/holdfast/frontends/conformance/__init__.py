"""For those who write a frontend, or a server: every frame of the stream, its rules, and a stage to rehearse on."""
