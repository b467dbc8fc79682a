"""``python -m crossgraft`` is the command ``crossgraft``."""

from crossgraft.cli import main

main()
