"""Starts one sandboxed command: limits, own namespaces, then exec. Run as a script; standard library only.

    python -I -S launch.py '{"limits": {...}, "isolate": true, "network": false}' COMMAND ...

With `isolate`, the command gets a process namespace of its own (when its first process ends, the kernel kills whatever
it left behind, also processes that changed their session), its own /proc (it cannot read the environment of Burnish),
and without `network` a network namespace that holds only a loopback interface. Limits are set after the fork, so that
they bind the command and not this script. Exit code 125: the namespaces could not be made.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_NOSUID_NODEV_NOEXEC, MS_REC_PRIVATE = 2 | 4 | 8, 0x4000 | 0x40000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NOT_ISOLATED = 125


def main(options: dict[str, Any], command: list[str]) -> int:
    """Runs the command and returns its exit code (128 + n when signal n ended it)."""
    if not options["isolate"]:
        start(options, command)
    try:
        unshare(network=options["network"])
    except OSError as error:
        print(f"no namespaces: {error}", file=sys.stderr)
        return NOT_ISOLATED
    child = os.fork()
    if child == 0:
        os._exit(first_process(options, command))
    return exit_code(os.waitpid(child, 0)[1])


def unshare(*, network: bool) -> None:
    """Leaves the parent's namespaces; without privileges by way of a user namespace that maps only this user."""
    flags = CLONE_NEWNS | CLONE_NEWPID | (0 if network else CLONE_NEWNET)
    user, group = os.getuid(), os.getgid()
    libc(b"unshare", flags if user == 0 else flags | CLONE_NEWUSER)
    if user != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")
    if not network:
        loopback_up()


def first_process(options: dict[str, Any], command: list[str]) -> int:
    """Process 1 of the namespace: mounts its /proc, starts the command, reaps orphans until the command has ended."""
    try:
        libc(b"mount", b"none", b"/", None, MS_REC_PRIVATE, None)
        libc(b"mount", b"proc", b"/proc", b"proc", MS_NOSUID_NODEV_NOEXEC, None)
    except OSError as error:
        print(f"no /proc of its own: {error}", file=sys.stderr)
        return NOT_ISOLATED
    main_child = os.fork()
    if main_child == 0:
        start(options, command)
    while True:
        child, status = os.wait()
        if child == main_child:
            return exit_code(status)


def start(options: dict[str, Any], command: list[str]) -> None:
    """Sets the limits and becomes the command."""
    for name, value in options["limits"].items():
        kind = getattr(resource, "RLIMIT_" + name)
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)


def loopback_up() -> None:
    """A new network namespace has its loopback interface down; tests that serve on 127.0.0.1 need it."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def libc(name: bytes, *arguments: Any) -> None:
    """Calls a function of the C library; OSError where it returns non-zero."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name.decode())(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name.decode()}: {os.strerror(number)}")


def write(path: str, text: str) -> None:
    """Writes a small kernel file in one call."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def exit_code(status: int) -> int:
    """A wait status as a shell would tell it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
