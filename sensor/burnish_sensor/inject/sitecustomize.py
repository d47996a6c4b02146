# mypy: allow-untyped-defs, allow-untyped-calls
# Found by the interpreter through PYTHONPATH at its start; also by interpreters that are too old for the sensor, so
# that the syntax here is that of every Python. Starts the sensor, then runs the sitecustomize that this one hides, and
# leaves sys.path and sys.modules as they would be without us.
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _find():
    try:
        import burnish_sensor
    except ImportError:  # installed for another interpreter: nothing but the package itself is taken from there
        parent = os.path.dirname(os.path.dirname(_HERE))
        sys.path.append(parent)
        try:
            import burnish_sensor
        finally:
            sys.path.remove(parent)
    return burnish_sensor


def _start():
    if os.environ.get("BURNISH_SENSOR", "").strip().lower() in ("off", "0", "false", "no"):
        return
    if sys.version_info < (3, 9):  # noqa: UP036 - this file is read by every Python
        sys.stderr.write(
            "burnish_sensor: not started: Python 3.9 or newer is needed, this is %d.%d\n" % sys.version_info[:2]
        )
        return
    _find().start()


def _run_hidden():
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _HERE]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if "sitecustomize" not in str(error):
            raise
    finally:
        if ours is not None:
            sys.modules.setdefault("sitecustomize", ours)


try:
    _start()
except Exception as error:  # noqa: BLE001 - the edge: the host must start
    sys.stderr.write("burnish_sensor: not started: %r\n" % (error,))
_run_hidden()
