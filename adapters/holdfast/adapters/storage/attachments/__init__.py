"""Where the contents live that events refer to, which of them are referred to, and getting them back."""
