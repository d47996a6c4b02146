"""Windows: cut on schedule, built in small steps, and written by the flush thread."""
