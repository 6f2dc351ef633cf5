"""The store of opencode: JSON files in `~/.local/share/opencode/storage`, one for each session, message and part."""

from holdfast.adapters.importers.opencode.format import OpencodeStore

__all__ = ["OpencodeStore"]
