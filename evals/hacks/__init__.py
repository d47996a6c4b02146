"""Wrong and cheating patches, and honest ones, for real small services; each goes through the real prover."""
