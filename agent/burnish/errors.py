"""The errors that Burnish raises on purpose, named for who must act.

    BurnishError
    ├── UsageError          the person at the keyboard: a wrong argument, a name that is not there   exit 2
    ├── ConfigError         who wrote the configuration: names the file, the key and the mend         exit 2
    ├── DataError           the runtime data cannot be used: missing, corrupt, of a newer format      exit 2
    ├── RepositoryError     the service's repository: uncommitted work, an unknown ref                exit 2
    ├── LeaseHeld           another run is at work; wait for it                                       exit 3
    └── Unavailable         something outside failed (forge, model, database); try again later        exit 3

What a *job* cannot do is not an error: it ends with a `Why` (see `burnish.job`).
"""

from __future__ import annotations


class BurnishError(Exception):
    """Base of all. `exit_code` is what the command line returns."""

    exit_code = 2


class UsageError(BurnishError):
    """A wrong argument or an unknown name; the message says what would be right."""


class ConfigError(BurnishError):
    """The configuration is missing, unreadable or wrong; the message names file, key and mend."""


class DataError(BurnishError):
    """The runtime data or Burnish's own state cannot be read; the message names the file and the mend."""


class RepositoryError(BurnishError):
    """The service's repository is not in a state to work on; the message says which and the mend."""


class LeaseHeld(BurnishError):
    """Another process runs a cycle on the same state directory."""

    exit_code = 3


class Unavailable(BurnishError):
    """Something outside failed and can be tried again: forge, model, database server."""

    exit_code = 3
