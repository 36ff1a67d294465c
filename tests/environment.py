"""What the settings need, before Django reads them: loaded as a pytest plugin, first of all.

DATABASE_URL and REDIS_URL come from `python -m contactcentre.supervisor with`, which starts both. Where several workers
test at once (`pytest -n 3`), each has a database, a Valkey number and a folder of its own: pytest-django gives it the
database, the rest is given here.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

DEFAULTS = {
    "SECRET_KEY": "only-for-tests-and-known-to-everybody-so-never-use-it-elsewhere",
    "CONTACTCENTRE_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "PRACTICE": "1",
    "BASE_URL": "http://127.0.0.1:8000",
    "TIME_ZONE": "Europe/London",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
    # Tests without a database run all the same; those with one say what is missing.
    os.environ.setdefault("DATABASE_URL", "postgres://nobody:nothing@127.0.0.1:1/none")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
if "CONTACTCENTRE_VAR" not in os.environ:
    os.environ["CONTACTCENTRE_VAR"] = tempfile.mkdtemp(prefix="contactcentre-tests-")

# "gw0", "gw1", ... in a worker of pytest-xdist; the process that only hands out the tests has none.
worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker:
    number = int(worker.removeprefix("gw"))
    # 0 stays with the one who hands out. A server has sixteen numbers: more workers than that would share keys.
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number + 1}").geturl()
    own = Path(os.environ["CONTACTCENTRE_VAR"]) / worker
    own.mkdir(parents=True, exist_ok=True)
    os.environ["CONTACTCENTRE_VAR"] = str(own)
