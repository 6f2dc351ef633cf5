"""The views that are stored beside the log: disposable, each with the position up to which it is folded."""
