"""``python -m reference PROGRAM``: one program, two engines, the numbers of both."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys

from minitorch.cli.screen import Screen
from reference.compare import THREAD_VARIABLES, Comparison
from reference.programs import PROGRAMS
from reference.report import Report
from reference.worker import ENGINES, load_engine, prepare, takes_data

EXAMPLES = """\
examples:
  python -m reference list                         the programs, one line on each
  python -m reference xor                          both engines' lines, side by side
  python -m reference mnist-nn                     on the embedded 8x8 digits: seconds
  python -m reference mnist-nn --data data/mnist   on MNIST, with the four IDX files there
  python -m reference mnist-nn --yardstick         ... and PyTorch beside PyTorch
  python -m reference mnist-nn --float64           in double precision
  python -m reference lab activations              an experiment of the course, both engines
  python -m reference mnist-nn --only minitorch    one engine, in this process
"""


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m reference",
        description="Run a program under PyTorch and under minitorch, from the same seed, and "
        "compare what they print. Each engine has a process of its own and they take turns, so "
        "neither disturbs the other. Exit status: 0 if they agree, 1 if not, 2 for bad arguments.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("program", choices=[*PROGRAMS, "list", "lab"], metavar="PROGRAM",
                        help="a name from 'list'")
    parser.add_argument("lab", nargs="?", metavar="NAME", help="which lab, after 'lab'")
    parser.add_argument("--data", metavar="DIR",
                        help="folder with MNIST's four IDX files, plain or .gz "
                        "(without it: the embedded 8x8 digits)")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: as in the course")
    parser.add_argument("--threads", type=int, default=1, metavar="N",
                        help="threads of each engine (default: 1)")
    parser.add_argument("--float64", action="store_true",
                        help="compute in double precision instead of single")
    parser.add_argument("--yardstick", action="store_true",
                        help="run PyTorch a second time on images changed in their last bit: how "
                        "far do its own numbers drift apart?")
    parser.add_argument("--only", choices=list(ENGINES), help="run one engine, compare nothing")
    options = parser.parse_args(argv)
    if options.program == "lab":
        options.program = f"lab-{options.lab}"
        if options.program not in PROGRAMS:
            labs = [name[4:] for name in PROGRAMS if name.startswith("lab-")]
            parser.error(f"say which lab: {', '.join(labs)}")
    elif options.lab is not None:
        parser.error(f"unrecognized arguments: {options.lab}")
    if options.epochs is not None and options.program.startswith("lab-"):
        parser.error("--epochs: a lab has its own")
    for name in ("epochs", "threads"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be at least 1, got {value}")
    options.nudged = False
    if options.yardstick and not (options.program in PROGRAMS
                                  and takes_data(PROGRAMS[options.program])):
        parser.error(f"--yardstick changes images, and {options.program} has none")
    needed = [options.only] if options.only else list(ENGINES)
    if options.program != "list" and "torch" in needed and not importlib.util.find_spec("torch"):
        parser.error("this compares with PyTorch, which is not installed here. Install it "
                     "(pip install torch), or see minitorch alone with --only minitorch")
    if options.data is not None:
        options.data = os.path.abspath(os.path.expanduser(options.data))
    return options


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    if options.program == "list":
        for name, program in PROGRAMS.items():
            print(f"{name:18}{(program.__doc__ or '').partition(chr(10))[0]}")
        return 0
    try:
        return run_one(options) if options.only else compare(options)
    except RuntimeError as error:
        print(f"python -m reference: error: {error}", file=sys.stderr)
        return 2


def run_one(options: argparse.Namespace) -> int:
    """One engine, here: the program's own output and nothing else."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(options.threads)))
    program, arguments = prepare(options)
    torch, _ = load_engine(options.only, options.float64)
    program(torch, **arguments)
    return 0


def compare(options: argparse.Namespace) -> int:
    arguments = [options.program]
    if options.data is not None:
        arguments += ["--data", options.data]
    if options.epochs is not None:
        arguments += ["--epochs", str(options.epochs)]
    if options.float64:
        arguments.append("--float64")
    screen = Screen()
    report = Report(screen)
    try:
        screen.busy("starting both engines")
        with Comparison(arguments, options.threads, options.yardstick) as comparison:
            screen.busy("")
            introduce(screen, options, comparison)
            comparison.watch = lambda title: screen.busy(f"  {title} is at work")
            for lines in comparison:
                report.add(*lines)
    except KeyboardInterrupt:
        screen.busy("")
        screen.show("  stopped: what follows is about the lines above")
        report.conclude()
        return 130
    finally:
        screen.busy("")
    return 0 if report.conclude() else 1


def introduce(screen: Screen, options: argparse.Namespace, comparison: Comparison) -> None:
    about = (PROGRAMS[options.program].__doc__ or "").partition("\n")[0]
    screen.show()
    screen.show((f"  {options.program}", "bold"), f"  {about}")
    if comparison.data:
        screen.show(("  data      ", "dim"), comparison.data)
    for label, engine in zip(("engines", ""), comparison.engines):
        screen.show((f"  {label:10}", "dim"), engine)
    screen.show(("  threads   ", "dim"), f"{options.threads} for each engine; they take turns")
    screen.show(("  numbers   ", "dim"), "float64" if options.float64 else "float32")


if __name__ == "__main__":
    sys.exit(main())
