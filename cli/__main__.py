"""Runs the command line: `python -m cli`, as the image of the models does."""

from __future__ import annotations

from chassis.early_stop import LEFT_UNDONE, end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped(LEFT_UNDONE)  # Before the imports that take seconds.

from cli.app import main

if __name__ == "__main__":
    main()
