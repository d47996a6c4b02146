"""A soak: bounded load for a long time, then the sensor's counts against the driver's own, and memory over time."""
