"""What pytest leaves out of the sources where an extra is not installed."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("matplotlib") else ["src/crossgraft/report/figures/*.py"]
