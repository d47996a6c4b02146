"""Counters that the operators look at."""

import logging

logger = logging.getLogger("workshop.metrics")


def increment(name, by=1):
    logger.info("%s +%s", name, by)
