"""What recording may cost: which functions are sampled, in which slices, and what is estimated from them."""
