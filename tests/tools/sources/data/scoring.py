"""The program whose profiles are kept here."""

import time


def score(n):
    total = 0
    for i in range(n):
        total += i * i % 7
        total ^= hash((i, total))
    return total


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        score(2000)


if __name__ == "__main__":
    busy(2.0)
