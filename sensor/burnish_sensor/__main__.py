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
  BURNISH_OUTPUT           the directory of the windows (default: .burnish/windows under the root)
  BURNISH_SERVICE          the name of the service (default: the name of the root's folder)
  BURNISH_ENVIRONMENT      default: production
  BURNISH_RELEASE          what runs (default: the platform's variable, else the git commit)
  BURNISH_WINDOW_SECONDS   the length of a window (default: 10)
  BURNISH_BUDGET           the share of CPU time that observing calls may take (default: 0.01)
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
