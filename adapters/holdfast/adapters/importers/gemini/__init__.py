"""Chats of Gemini CLI: `~/.gemini/tmp/<project>/chats/session-*`, one JSON document, or lines since late in 2025."""

from holdfast.adapters.importers.gemini.format import GeminiChat

__all__ = ["GeminiChat"]
