"""Other tools' transcripts in: one package for each kind behind one small port, and what reads and batches them."""

from holdfast.adapters.importers.discovery import check, found
from holdfast.adapters.importers.importer import import_sources
from holdfast.adapters.importers.log import ImportLog
from holdfast.adapters.importers.watch import Watch

__all__ = ["ImportLog", "Watch", "check", "found", "import_sources"]
