"""`python -m practice`: see docs/practice.md."""

from __future__ import annotations

import asyncio
import sys

from practice.database import DatabaseError
from practice.server import serve
from practice.settings import SettingsError, settings_from


def main() -> int:
    """Return the exit status: 0 after a wished end, 1 when nothing could be started."""
    try:
        asyncio.run(serve(settings_from()))
    except (SettingsError, DatabaseError, OSError) as error:
        print(f"practice networks not started: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # uvicorn ends in good order and then passes the signal on; the shell has nothing more to learn from it.
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
