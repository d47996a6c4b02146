"""Proves an edit: tests, replayed requests compared, cost measured in interleaved fresh processes."""

from burnish_tools.proof.prover import ServiceProver
from burnish_tools.proof.settings import ProofSettings

__all__ = ["ProofSettings", "ServiceProver"]
