"""How often the proof errs: whole proofs of a change that changes nothing, and of one that saves a tenth."""
