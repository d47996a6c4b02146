# mypy: allow-untyped-defs, allow-untyped-calls
# Executed by its path, `python [options] .../runner.py script.py ARGUMENTS`, by any interpreter, whether the sensor is
# installed for it or not. So: no relative import, the syntax of every Python, and the script runs whatever happens.
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_HAS_FOLDER = not (getattr(sys.flags, "safe_path", False) or getattr(sys.flags, "isolated", 0))
if _HAS_FOLDER:  # that of this file: nothing in it may hide a module of that name
    sys.path[0] = os.path.dirname(os.path.realpath(sys.argv[1]))
sys.path[:] = [folder for folder in sys.path if folder != os.path.join(_HERE, "inject")]  # with -S it is there still
del sys.argv[0]


def _find():
    if sys.version_info < (3, 9):  # noqa: UP036 - this file is read by every Python
        return None  # sitecustomize has said so
    try:
        import burnish_sensor.script as script
    except ImportError:
        parent = os.path.dirname(_HERE)
        sys.path.append(parent)
        try:
            import burnish_sensor.script as script
        finally:
            sys.path.remove(parent)
    return script.run_script


try:
    run_script = _find()
except Exception as error:  # noqa: BLE001 - the edge: the script must run
    sys.stderr.write("burnish_sensor: not started: %r\n" % (error,))
    run_script = None
if run_script is None:
    import runpy

    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    sys.exit(run_script(sys.argv[0], sys.argv[1:], _HAS_FOLDER))
