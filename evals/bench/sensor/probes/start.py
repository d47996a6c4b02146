"""Times `import burnish_sensor` and `burnish_sensor.start()` in a fresh process. Argument: {"variant": …}."""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Prints ns, 0 for what this variant does not do."""
    variant = json.loads(sys.argv[1])["variant"]
    begin = imported = started = time.perf_counter_ns()
    if variant != "plain":
        import burnish_sensor

        imported = started = time.perf_counter_ns()
        if variant == "import and start":
            burnish_sensor.start()
            started = time.perf_counter_ns()
    print(json.dumps({"import_ns": imported - begin, "start_ns": started - imported}))


if __name__ == "__main__":
    main()
