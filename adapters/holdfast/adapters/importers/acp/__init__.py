"""Recordings of the Agent Client Protocol: one JSON-RPC message a line, bare or wrapped by whoever recorded it."""

from holdfast.adapters.importers.acp.format import AcpWire

__all__ = ["AcpWire"]
