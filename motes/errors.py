"""Errors that are for people: one sentence that names the thing and what to do; the command line prints it
and exits with 2."""


class UserError(Exception):
    """Wrong input. The message is shown as it is, without a traceback."""
