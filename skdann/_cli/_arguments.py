"""The commands, and what they can be told."""

import argparse
from importlib.metadata import version

from ._read import BY_NAME

EPILOG = """\
exit codes:
  0  done; nothing that can be seen speaks against using the predictions
  2  the files or options can't be used: one message on stderr, nothing written
  3  done, but label some rows first
  4  done, but do not use these predictions
  130  interrupted, nothing written
`predict` has 0 and 2 alone. Whatever else is an error of skdann itself.
"""

_DESCRIPTION = "Predict the rows of one file from the labelled rows of another."


def make_parser():
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="skdann",
        description=_DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"skdann {version('skdann')}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_adapt(commands)
    _add_predict(commands)
    _add_report(commands)
    return parser


def _add(commands, name, what):
    return commands.add_parser(
        name,
        help=what,
        description=what,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_adapt(commands):
    adapt = _add(
        commands, "adapt", "learn from a labelled file, adapt to another, predict it"
    )
    adapt.add_argument("source", help="file with labels: .csv, .tsv or .parquet")
    adapt.add_argument("target", help="file to predict; its label column may be absent")
    adapt.add_argument("--label", required=True, help="column to predict")
    adapt.add_argument(
        "--output", help="folder to write; TARGET-adapted, here, if not given"
    )
    _add_common(adapt)
    adapt.add_argument(
        "--task",
        choices=["auto", "classification", "regression"],
        default="auto",
        help="whether the label is a class or a number; auto takes text and at most 20 "
        "whole numbers for classes",
    )
    adapt.add_argument(
        "--use-target-labels",
        action="store_true",
        help="learn from a target that is labelled in all rows; else its labels only "
        "measure the predictions",
    )
    adapt.add_argument(
        "--drop-unlabelled",
        action="store_true",
        help="leave out rows of the source without a label",
    )
    for option, what in (
        ("--drop", "column to leave out; may be given several times"),
        ("--text", "column to take as text as it is, such as codes; several times"),
    ):
        adapt.add_argument(
            option, action="append", default=[], metavar="NAME", help=what
        )
    adapt.add_argument(
        "--id",
        metavar="NAME",
        help="column that names rows: copied, not learned; else found out",
    )
    adapt.add_argument("--seed", type=int, default=0, help="decides all that is random")
    adapt.add_argument(
        "--quick", action="store_true", help="few models, no report on the network"
    )
    adapt.add_argument(
        "--max-time",
        type=_positive(float),
        metavar="SECONDS",
        help="for the models, of classes; those not done are left out",
    )
    adapt.add_argument(
        "--max-rows",
        type=_positive(int),
        default=20_000,
        metavar="N",
        help="most rows of each file to train on, drawn at random (20000); all rows of "
        "the target are predicted",
    )
    adapt.add_argument(
        "--quiet", action="store_true", help="no progress, and no summary"
    )
    adapt.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_predict(commands):
    predict = _add(commands, "predict", "predict a file by a model of `adapt`")
    predict.add_argument("model", help="model.skdann; report.json is read beside it")
    predict.add_argument("table", help="file to predict")
    predict.add_argument("--output", help="file to write; TABLE-predictions.csv, here")
    predict.add_argument(
        "--id", metavar="NAME", help="column that names rows; as in `adapt`"
    )
    _add_common(predict)


def _add_report(commands):
    report = _add(commands, "report", "show the report of `adapt` again")
    report.add_argument("output", help="folder that `adapt` wrote")
    report.add_argument("--json", action="store_true", help="as JSON")


def _add_common(parser):
    parser.add_argument(
        "--force", action="store_true", help="replace an output that is there"
    )
    parser.add_argument(
        "--separator",
        type=_separator,
        help=f"of fields: {', '.join(BY_NAME)} or the character; else found out",
    )
    parser.add_argument(
        "--decimal",
        choices=[".", ","],
        help="mark of decimals, where nothing in a file shows it",
    )
    parser.add_argument("--encoding", help="of text; utf-8 if not given")
    parser.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help="what stands for no value, beside empty, NA, N/A, NaN, null, None, ?, - "
        "and a dot; several times",
    )


def _separator(text):
    separator = BY_NAME.get(text, text.replace("\\t", "\t"))
    if len(separator) != 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be one character, or one of {', '.join(BY_NAME)}"
        )
    return separator


def _positive(kind):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text!r} must be more than 0")
        return value

    return parse
