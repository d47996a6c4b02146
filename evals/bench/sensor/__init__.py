"""What the sensor costs and how right it is: `python -m evals.bench.sensor`."""
