"""The command line: ``minitorch train``, ``optimizers``, ``lab`` and ``info``."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

import minitorch
from minitorch.cli.recipes import ACTIVATIONS, INITS, RECIPES
from minitorch.labs import LABS

EXAMPLES = """\
examples:
  minitorch train                                the embedded digits: a few seconds
  minitorch train --init zero                    ... see why weights must not start at zero
  minitorch train --activation sigmoid --lr 0.01
  minitorch train mnist-nn --data data           the course's network; MNIST's files in data/
  minitorch train mnist-nn --data data --download
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if not hasattr(options, "run"):
        parser.print_help()
        return 0
    try:
        status: int = options.run(options)
        return status
    except KeyboardInterrupt:
        return 130
    except (RuntimeError, ValueError, OSError) as error:
        print(f"minitorch {options.command}: error: {error}", file=sys.stderr)
        return 2


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minitorch",
        description="A neural-net engine from scratch, with PyTorch's names and numbers.",
    )
    parser.add_argument("--version", action="version", version=f"minitorch {minitorch.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    train = commands.add_parser(
        "train",
        help="train a network on handwritten digits",
        description="Train a network on images of handwritten digits, and see how well it reads\n"
        "digits it was not trained on. With no arguments: a small network on the 1,797\n"
        "digits that come with minitorch.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.set_defaults(run=run_train)
    add_training_options(train)

    optimizers = commands.add_parser(
        "optimizers",
        help="all optimizers side by side, on two surfaces and on a network",
        description="Run every optimizer on Rosenbrock's valley, on a saddle and on the course's\n"
        "network; print where each ends, and draw the paths and the costs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    optimizers.set_defaults(run=run_optimizers)
    add_contest_options(optimizers)

    lab = commands.add_parser(
        "lab",
        help="the course's claims as experiments: numbers, tables and pictures",
        description="Run an experiment, print what it shows, and save its numbers (JSON, CSV) and\n"
        "its picture. 'minitorch lab --list' says which there are.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    lab.set_defaults(run=run_lab)
    add_lab_options(lab)

    info = commands.add_parser("info", help="show versions, BLAS, threads and GPU")
    info.set_defaults(run=run_info)
    return parser


def add_training_options(train: argparse.ArgumentParser) -> None:
    def default(name: str) -> str:
        """The recipes' own values, where they differ by network."""
        values = {network: getattr(recipe, name) for network, recipe in RECIPES.items()}
        if len(set(values.values())) == 1:
            return f"(default: {next(iter(values.values()))})"
        return f"({', '.join(f'{network}: {value}' for network, value in values.items())})"

    train.add_argument(
        "network", nargs="?", default="digits", choices=list(RECIPES),
        help="; ".join(f"{name}: {recipe.about}" for name, recipe in RECIPES.items())
        + " (default: digits)",
    )
    add_data_options(train)
    how = train.add_argument_group("how to train")
    how.add_argument("--epochs", type=count, metavar="N",
                     help=f"passes over the training images {default('epochs')}")
    how.add_argument("--batch-size", type=count, metavar="N",
                     help=f"images per step {default('batch_size')}")
    how.add_argument("--lr", type=rate, metavar="X",
                     help=f"learning rate, the size of Adam's steps {default('lr')}")
    how.add_argument("--seed", type=int, metavar="N",
                     help="start of the random numbers: the same seed gives the same run "
                     + default("seed"))
    how.add_argument("--init", choices=list(INITS),
                     help="how the weights start: zeros, N(0, 1), or LeCun's, Xavier's or He's "
                     f"normal distribution, which fit the layer's width {default('init')}")
    how.add_argument("--activation", choices=list(ACTIVATIONS),
                     help=f"what follows each hidden layer {default('activation')}")
    how.add_argument("--device", default="cpu", metavar="NAME",
                     help="where to compute: cpu or cuda (default: cpu)")

    add_plot_options(train, "curves.png", "the curves")


def add_contest_options(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    parser.add_argument("--epochs", type=count, metavar="N",
                        help="passes over the training images (digits: 20, MNIST: 1)")
    parser.add_argument("--steps", type=count, default=400, metavar="N",
                        help="steps on each surface (default: 400)")
    parser.add_argument("--seed", type=int, default=777, metavar="N",
                        help="start of the random numbers (default: 777)")
    add_plot_options(parser, "optimizers.png", "the paths and the costs")


def add_lab_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", choices=[*LABS, "all"], metavar="NAME",
                        help=f"{', '.join(LABS)}; or all: each under both engines, and a report")
    parser.add_argument("--list", action="store_true", help="say which labs there are")
    parser.add_argument("--quick", action="store_true",
                        help="small, on the embedded digits: what runs without --data")
    parser.add_argument("--out", default="labs", metavar="DIR",
                        help="where to save numbers, pictures, report (default: labs)")
    parser.add_argument("--engine", choices=["minitorch", "torch"],
                        help="what to run it with (default: minitorch; for all: both)")
    parser.add_argument("--progress", action="store_true",
                        help="print each step of the work on a line of its own, as for a log")
    parser.add_argument("--no-pictures", dest="pictures", action="store_false",
                        help="save numbers alone")
    parser.add_argument("--seed", type=int, default=777, metavar="N",
                        help="start of the random numbers (default: 777)")
    add_data_options(parser)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("data")
    data.add_argument("--data", metavar="DIR",
                      help="folder with MNIST's four files, plain or .gz (default: the digits "
                      "that come with minitorch)")
    data.add_argument("--download", action="store_true",
                      help="first fetch into DIR what is missing there")


def add_plot_options(parser: argparse.ArgumentParser, file: str, what: str) -> None:
    plot = parser.add_argument_group("plot").add_mutually_exclusive_group()
    plot.add_argument("--plot", default=file, metavar="FILE",
                      help=f"where to save {what}: .png, .svg or .pdf (default: {file})")
    plot.add_argument("--no-plot", dest="plot", action="store_const", const=None,
                      help="save no plot")


def count(text: str) -> int:
    """A whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def rate(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def run_train(options: argparse.Namespace) -> int:
    from minitorch.cli.session import run

    return run(options)


def run_optimizers(options: argparse.Namespace) -> int:
    from minitorch.cli.optimizers import run

    return run(options)


def run_lab(options: argparse.Namespace) -> int:
    from minitorch.cli.lab import run

    return run(options)


def run_info(options: argparse.Namespace) -> int:
    from minitorch.cli.info import info

    for name, value in info():
        print(f"{name:14}{value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
