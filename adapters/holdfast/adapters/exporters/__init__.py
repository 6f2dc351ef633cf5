"""Sessions on their way out: JSONL that proves itself, Markdown and HTML for people, a bundle for whoever doubts."""

from holdfast.adapters.exporters.export import Source, export

__all__ = ["Source", "export"]
