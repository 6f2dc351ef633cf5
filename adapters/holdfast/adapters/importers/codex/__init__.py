"""Rollouts of Codex: one JSON object a line, in `~/.codex/sessions/<date>/rollout-<time>-<session>.jsonl`."""

from holdfast.adapters.importers.codex.format import CodexRollout

__all__ = ["CodexRollout"]
