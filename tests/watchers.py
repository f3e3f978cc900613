"""Watchers of training that interrupt it."""

import os
import signal


class StopAt:
    """A watcher that presses Ctrl-C after a step."""

    def __init__(self, step):
        self.at = step

    def step(self, record):
        pass

    def evaluated(self, record, model, run):
        if record["step"] == self.at:
            os.kill(os.getpid(), signal.SIGINT)
