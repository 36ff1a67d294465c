"""`python -m bench [sizes]`: the table of figures. Needs DATABASE_URL and REDIS_URL (`make bench` gives both)."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcentre.settings")


def main() -> None:
    """Measure at each size, in a database of its own, and print the table."""
    import django

    django.setup()
    from bench import measuring

    sizes = [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]
    measuring.run(sizes)


if __name__ == "__main__":
    main()
