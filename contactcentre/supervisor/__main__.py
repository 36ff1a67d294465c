"""The command line: `python -m contactcentre.supervisor run | with | reset`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from contactcentre.supervisor import reset, run, throwaway
from contactcentre.supervisor.environment import PROJECT
from contactcentre.supervisor.problem import Problem


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m contactcentre.supervisor", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True, metavar="run | with | reset")
    whole = acts.add_parser("run", help="start the whole product and keep it running until Ctrl-C")
    temporary = acts.add_parser("with", help="run a command beside a PostgreSQL and a Valkey of its own")
    anew = acts.add_parser("reset", help="forget all data, so that the next start begins anew")
    for act in (whole, anew):
        act.add_argument(
            "--var", type=Path, help="the folder of all data (CONTACTCENTRE_VAR, else var/ of the project)"
        )
    temporary.add_argument("--var", type=Path, help="keep the data in this folder (else: temporary, gone afterwards)")
    temporary.add_argument(
        "--durable", action="store_true", help="wait for the disc at every commit, as a server does; for measuring"
    )
    temporary.add_argument("command", nargs="+", metavar="-- COMMAND", help="the command and its arguments")
    return parser.parse_args(given)


def _var(given: Path | None) -> Path:
    return (given or Path(os.environ.get("CONTACTCENTRE_VAR") or PROJECT / "var")).absolute()


def main(given: list[str] | None = None) -> int:
    """Do what the command line says and give back the exit code."""
    arguments = _arguments(given)
    try:
        if arguments.act == "with":
            return throwaway.run(arguments.command, var=arguments.var, durable=arguments.durable)
        if arguments.act == "run":
            return run.run(_var(arguments.var))
        return reset.reset(_var(arguments.var))
    except Problem as problem:
        print(f"contactcentre: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
