"""``python -m minitorch.utils.benchmark compare old.json new.json``: what moved beyond noise."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from minitorch.utils.benchmark.records import comparison


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m minitorch.utils.benchmark",
                                     description="Measurements that minitorch.utils.benchmark.save "
                                                 "wrote.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compare = commands.add_parser("compare", help="print what moved beyond the noise")
    compare.add_argument("old", metavar="OLD.json")
    compare.add_argument("new", metavar="NEW.json")
    options = parser.parse_args(arguments)
    try:
        print(comparison(options.old, options.new))
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
