# mypy: allow-untyped-defs, allow-untyped-calls
# Found by the interpreter through PYTHONPATH at its start; also by interpreters that are too old for the sensor, so
# that the syntax here is that of every Python. Starts the sensor, then runs the sitecustomize that this one hides.
import os
import sys


def _start():
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        import burnish_sensor
    except ImportError:
        sys.path.append(os.path.dirname(os.path.dirname(here)))
        import burnish_sensor
    burnish_sensor.start()


def _run_hidden():
    here = os.path.dirname(os.path.abspath(__file__))
    for folder in sys.path:
        path = os.path.join(folder, "sitecustomize.py")
        if os.path.abspath(folder) != here and os.path.isfile(path):
            with open(path) as stream:
                source = stream.read()
            exec(compile(source, path, "exec"), {"__name__": "sitecustomize", "__file__": path})
            return


try:
    _start()
except Exception as error:  # noqa: BLE001 - the edge: the host must start
    sys.stderr.write(f"burnish_sensor: not started: {error!r}\n")
_run_hidden()
