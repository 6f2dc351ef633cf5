"""Finding what was said or run: the words of an item, the language of queries, and hits in their context. Pure."""
