"""The verbs. A module is imported when one of its verbs is asked for, and opens nothing by being imported."""
