"""Inside the image: start the server as it is there; print the seconds to its first answer."""

import http.client
import os
import subprocess
import sys
import time

began = time.monotonic()
server = subprocess.Popen([sys.executable, "gunicorn.conf.py"], stdout=sys.stderr)
while server.poll() is None and time.monotonic() < began + 60:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=5)
    try:
        connection.request("GET", "/healthz")
        if connection.getresponse().status == 200:
            break
    except OSError:
        time.sleep(0.01)
    finally:
        connection.close()
else:
    sys.exit("it does not answer")
print(f"{time.monotonic() - began:.2f}")
server.terminate()
server.wait()
