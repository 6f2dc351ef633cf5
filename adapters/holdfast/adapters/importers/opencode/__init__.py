"""The store of opencode: a database, and before that JSON files, one for each session, message and part."""

from holdfast.adapters.importers.opencode.format import OpencodeStore

__all__ = ["OpencodeStore"]
