"""``python -m burnish_sensor``: run a command with the sensor, or tell what the sensor would see."""

from __future__ import annotations

import os
import sys

HELP = """\
usage: python -m burnish_sensor -- COMMAND [ARGUMENTS…]   run a command with the sensor
       python -m burnish_sensor env                       print the variables that do the same, for a shell
       python -m burnish_sensor doctor [--json]           what the sensor would see here; exit status 1: a problem

  … -- gunicorn shop.wsgi         any command: it and the Python processes that it starts are observed
  … -- python manage.py migrate   a script, in the interpreter that is named
  … -- script.py ARGUMENTS        a script, in this interpreter
  … -- -m package ARGUMENTS       a module, in this interpreter
  eval "$(python -m burnish_sensor env)"    from here on, each Python that is started

exit status: that of the command; 126 if it cannot be run, 127 if it is not found.

environment:
  BURNISH_SENSOR=off       observe nothing
  BURNISH_ROOT             the application: modules under it are observed (default: the working directory)
  BURNISH_INCLUDE          packages outside of it to observe too: shop_core,billing
  BURNISH_OUTPUT           where windows go: a directory (default: .burnish/windows under the root), a file ending in
                           .jsonl, unix:/path/to.sock, or http(s)://host[:port][/path]
  BURNISH_TOKEN            sent to http(s):// as "Authorization: Bearer …"
  BURNISH_SPOOL            where windows wait until the socket or http(s):// has taken them (default: .burnish/spool)
  BURNISH_SPOOL_MB         how much may wait there for one service (default: 64)
  BURNISH_SERVICE          the name of the service (default: OTEL_SERVICE_NAME, DD_SERVICE, else the root's folder)
  BURNISH_ENVIRONMENT      default: what OpenTelemetry, Datadog, Sentry or APP_ENV are told, else production
  BURNISH_RELEASE          what runs (default: the git commit where it can be found, else a version)
  BURNISH_WINDOW_SECONDS   the length of a window (default: 10)
  BURNISH_BUDGET           the share of CPU time that observing calls may take (default: 0.01)
  BURNISH_MEMORY_MB        how much memory the sensor may take (default: 32)
  BURNISH_EXEMPLARS        how many calls are looked at for conditions in a second, or off (default: 20)
  BURNISH_NATIVE=off       do not use the compiled core
"""


def main(arguments: list[str]) -> int:
    """Dispatch. Replaces the process where it can, so that signals and exit codes are the command's own."""
    if arguments[:1] == ["doctor"] and arguments[1:] in ([], ["--json"]):
        from . import doctor

        return doctor.main(as_json=len(arguments) > 1)
    if arguments == ["env"]:
        from .launch import exports

        print(exports(os.environ), end="")
        return 0
    if arguments[:1] == ["--"] and len(arguments) > 1:
        return _run(arguments[1:])
    print(HELP, end="")
    return 0 if arguments[:1] in (["--help"], ["-h"]) else 2


def _run(command: list[str]) -> int:
    from .launch import execute, injected, is_off

    if command[0].endswith(".py") and os.path.isfile(command[0]):
        if is_off(os.environ):
            return execute([sys.executable, *command], dict(os.environ))
        from .script import run_script

        os.environ.update(injected(os.environ))
        return run_script(command[0], command[1:])
    return execute([sys.executable, *command] if command[0] == "-m" else command, dict(os.environ), observe=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
