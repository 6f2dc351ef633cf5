"""Views as pure folds over events: the same code live and in a rebuild."""
