"""Transcripts of Claude Code: one JSON object a line, in `~/.claude/projects/<folder>/<session>.jsonl`."""

from holdfast.adapters.importers.claude.format import ClaudeCode

__all__ = ["ClaudeCode"]
