"""The conditions of slow calls, as classes and never as values, beside an even sample of all calls."""
