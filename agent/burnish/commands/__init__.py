"""What each command does: one function a command, from arguments to an exit code; one file a topic.

`burnish.cli` finds a command here by its name. Tables are in `burnish.views`, printing in `burnish.commands.output`.
"""

from burnish.commands.configuration import config
from burnish.commands.cycles import run
from burnish.commands.desk import approve, jobs, outcomes, prove, refuse, show
from burnish.commands.production import findings, function, hotspots, statements
from burnish.commands.reasons import why
from burnish.commands.releasing import deployed, releases

__all__ = [
    "approve",
    "config",
    "deployed",
    "findings",
    "function",
    "hotspots",
    "jobs",
    "outcomes",
    "prove",
    "refuse",
    "releases",
    "run",
    "show",
    "statements",
    "why",
]
