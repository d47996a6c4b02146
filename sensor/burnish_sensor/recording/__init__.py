"""Records calls, in C or in Python: the shadow stacks, the tables that add calls up, and what recording costs."""
