"""The test suites of public libraries and applications, with and without the sensor: the same results."""
