"""What the settings need, before Django reads them: loaded as a pytest plugin, first of all.

DATABASE_URL and REDIS_URL come from `python -m contactcentre.supervisor with`, which starts both.
"""

from __future__ import annotations

import os
import tempfile

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
