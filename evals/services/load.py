"""A bounded load driver for a service on this machine.

    python evals/services/load.py --base-url http://127.0.0.1:8000 --mix mix.toml --seconds 20 --users 4 --seed 7

Each user is a thread that sends its own reproducible sequence (see traffic.py), one request at a time, and waits its
think time in between: a closed loop, so that a slower service is also asked less. Exit status: 0 the run was
completed (errors are counted, not fatal), 2 wrong use, 3 the service stopped answering.
"""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# run as a script, Python puts this folder on the path instead of the repository's root
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from evals.services.latency import Sample, by_name, summarise, table
from evals.services.traffic import Mix, MixError, Request, load_mix

MAX_SECONDS = 300.0
MAX_USERS = 32
MAX_REQUESTS = 100_000


class UsageError(ValueError):
    """The driver was asked for something it refuses; the message says what and why."""


@dataclass(frozen=True)
class Target:
    """A loopback address."""

    host: str
    port: int


@dataclass(frozen=True)
class Limits:
    """What ends a run. Times in seconds; `warmup_s` comes first and is not recorded."""

    seconds: float
    users: int
    max_requests: int
    warmup_s: float = 0.0
    timeout_s: float = 10.0

    def check(self) -> None:
        for name, value, highest in (
            ("--seconds", self.seconds, MAX_SECONDS),
            ("--users", self.users, MAX_USERS),
            ("--max-requests", self.max_requests, MAX_REQUESTS),
            ("--timeout", self.timeout_s, 60.0),
        ):
            if not 0 < value <= highest:
                raise UsageError(f"{name} must be above 0 and at most {highest:g}, not {value:g}")
        if not 0 <= self.warmup_s <= 60:
            raise UsageError(f"--warmup must be between 0 and 60 seconds, not {self.warmup_s:g}")


def parse_target(base_url: str) -> Target:
    """The address of `base_url`. Raises UsageError unless every address of its host is a loopback address."""
    parts = urlsplit(base_url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
        raise UsageError(f"--base-url {base_url}: must look like http://127.0.0.1:8000")
    port = parts.port or 80
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"--base-url {base_url}: {parts.hostname} has no address ({error})") from error
    addresses = [str(info[4][0]) for info in found]
    if not all(ipaddress.ip_address(a.partition("%")[0]).is_loopback for a in addresses):
        raise UsageError(f"--base-url {base_url}: load is only sent to this machine (127.0.0.1), not to {addresses[0]}")
    return Target(addresses[0], port)


class Run:
    """One load run. `execute` may be called once."""

    def __init__(self, target: Target, mix: Mix, limits: Limits, seed: int) -> None:
        self.target, self.mix, self.limits, self.seed = target, mix, limits, seed
        self.samples: list[Sample] = []
        self.died: str | None = None
        self.elapsed_s = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._sent = 0
        self._failures_in_a_row = 0
        self._record_from = 0.0

    def execute(self) -> None:
        """Send the load; returns when the time or the requests are used up, or the service has died."""
        started = time.perf_counter()
        self._record_from = started + self.limits.warmup_s
        deadline = self._record_from + self.limits.seconds
        users = [threading.Thread(target=self._user, args=(k, deadline)) for k in range(self.limits.users)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        self.elapsed_s = min(time.perf_counter(), deadline) - self._record_from
        if self.died is None and not any(s.status is not None for s in self.samples):
            self.died = "no request was answered"

    def _user(self, number: int, deadline: float) -> None:
        requests: Iterator[Request] = self.mix.requests(self.seed, number)
        for request in requests:
            left = deadline - time.perf_counter()
            if self._stop.wait(min(request.think_s, max(left, 0.0))) or request.think_s >= left:
                return
            if not self._take():
                return
            began = time.perf_counter()
            status, problem = self._send(request)
            self._record(request, began, status, problem)

    def _take(self) -> bool:
        with self._lock:
            self._sent += 1
            return self._sent <= self.limits.max_requests

    def _send(self, request: Request) -> tuple[int | None, str]:
        connection = http.client.HTTPConnection(self.target.host, self.target.port, timeout=self.limits.timeout_s)
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            response = connection.getresponse()
            response.read()
            return response.status, ""
        except (OSError, http.client.HTTPException) as error:
            return None, f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _record(self, request: Request, began: float, status: int | None, problem: str) -> None:
        latency_ms = (time.perf_counter() - began) * 1000.0
        with self._lock:
            if began >= self._record_from:
                self.samples.append(Sample(request.name, latency_ms, status, status in request.expect))
            self._failures_in_a_row = 0 if status is not None else self._failures_in_a_row + 1
            # one dropped connection is an error; every user failing in turn is a dead service
            if self._failures_in_a_row >= max(3, self.limits.users) and self.died is None:
                self.died = f"{self._failures_in_a_row} requests in a row were not answered, the last: {problem}"
                self._stop.set()


def report(run: Run, base_url: str) -> dict[str, object]:
    """The result as data: what was asked, `died` (null or why), the summaries overall and by endpoint."""
    overall = summarise(run.samples)
    return {
        "base_url": base_url,
        "seed": run.seed,
        "users": run.limits.users,
        "seconds": round(run.elapsed_s, 3),
        "requests_per_second": round(overall.count / run.elapsed_s, 2) if run.elapsed_s > 0 else 0.0,
        "died": run.died,
        "overall": overall.as_dict(),
        "endpoints": {name: row.as_dict() for name, row in by_name(run.samples).items()},
    }


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description="Bounded, reproducible load on a service of this machine.")
    options.add_argument("--base-url", required=True, help="http://127.0.0.1:PORT; other machines are refused")
    options.add_argument("--mix", type=Path, required=True, help="the traffic mix, a TOML file")
    options.add_argument("--seconds", type=float, default=20.0, help=f"at most {MAX_SECONDS:g}")
    options.add_argument("--warmup", type=float, default=0.0, help="seconds before that are not recorded")
    options.add_argument("--users", type=int, default=4, help=f"at most {MAX_USERS}")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--scale", type=float, default=1.0, help="of the generated data")
    options.add_argument("--max-requests", type=int, default=20_000, help=f"at most {MAX_REQUESTS}")
    options.add_argument("--timeout", type=float, default=10.0, help="seconds for one request")
    options.add_argument("--json", type=Path, help="also write the result here")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    limits = Limits(args.seconds, args.users, args.max_requests, args.warmup, args.timeout)
    try:
        limits.check()
        run = Run(parse_target(args.base_url), load_mix(args.mix, args.scale), limits, args.seed)
    except (UsageError, MixError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 2
    run.execute()
    result = report(run, args.base_url)
    print(table(by_name(run.samples), summarise(run.samples)))
    print(f"{result['requests_per_second']} requests per second during {run.elapsed_s:.1f} s")
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if run.died is not None:
        print(f"load: the service at {args.base_url} stopped answering: {run.died}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
