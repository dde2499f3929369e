"""``report``: show again what ``adapt`` has found."""

import json

from ._adapt import EXIT_CODES
from ._predict import read_report
from ._summary import to_text


def show(options):
    """Do what ``skdann report`` is told; return the exit code that ``adapt`` had.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command.
    """
    report = read_report(options.output)
    print(json.dumps(report, indent=1) if options.json else to_text(report))
    return EXIT_CODES[report["verdict"]]
