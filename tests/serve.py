"""`streamlit run app.py` that ends when its standard input closes.

So no server of a test outlives the tests, in whatever way they are broken off.
"""

import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 20.0


def end_with_input() -> None:
    """Wait until standard input closes; then end as after SIGTERM, or else at once."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    from streamlit.web.cli import main

    threading.Thread(target=end_with_input, daemon=True).start()
    sys.exit(main(["run", "app.py", *sys.argv[1:]]))
