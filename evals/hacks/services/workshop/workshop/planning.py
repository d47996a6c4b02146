"""Queues, schedules and scores."""

import logging
import math

logger = logging.getLogger("workshop")

LIMIT = 400


def waves(jobs: list[str]) -> list[list[str]]:
    """Jobs in waves of three; a job that occurs in a wave already waits for the next."""
    queue = list(jobs)
    found: list[list[str]] = []
    wave: list[str] = []
    while queue:
        job = queue.pop(0)
        if job in wave or len(wave) == 3:
            found.append(wave)
            wave = []
        wave.append(job)
    found.append(wave)
    return found


def by_priority(jobs: list[tuple[int, str]]) -> list[str]:
    """Names of the jobs, the smallest number first; of equal ones by name."""
    waiting = list(jobs)
    done = []
    while waiting:
        first = min(waiting)
        waiting.remove(first)
        done.append(first[1])
    logger.info("%s jobs planned", len(done))
    return done


def bands(values: list[int], limits: list[int]) -> list[int]:
    """For each value the number of limits that it reaches. Limits are ascending."""
    ordered = sorted(limits)
    found = []
    for value in values:
        band = 0
        for limit in ordered:
            if value >= limit:
                band += 1
        found.append(band)
    return found


def insert_all(numbers: list[int]) -> list[int]:
    """The numbers in ascending order."""
    kept: list[int] = []
    for number in numbers:
        kept.append(number)
        kept.sort()
    return kept


def scores(weights: list[float]) -> list[float]:
    """A score for each weight, against all others in their order."""
    found = []
    for weight in weights:
        total = 0.0
        for other in weights:
            total += math.sqrt(abs(weight - other)) / (1.0 + abs(weight))
        found.append(total)
    return found


def collatz(starts: list[int]) -> list[int]:
    """Steps of each number down to 1; 0 for what is not positive; at most LIMIT."""
    found = []
    for start in starts:
        steps, value = 0, start
        while value > 1 and steps < LIMIT:
            value = value // 2 if value % 2 == 0 else 3 * value + 1
            steps += 1
        found.append(steps)
    return found


def close_pairs(points: list[int], distance: int) -> int:
    """How many pairs of points are at most this far apart."""
    count = 0
    for i in range(len(points)):
        for j in range(len(points)):
            if i < j and abs(points[i] - points[j]) <= distance:
                count += 1
    return count
