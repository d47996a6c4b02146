"""The fakes that Burnish ships: they satisfy the same Protocols as the real adapters. Nothing here patches anything."""

from burnish.testing.memory_runtime import MemoryRuntime

__all__ = ["MemoryRuntime"]
