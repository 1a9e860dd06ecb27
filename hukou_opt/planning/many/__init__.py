"""Many experiments at once: processes of their own, parts kept on disk, one table at the end."""

from hukou_opt.planning.many.rows import Row, write_summary
from hukou_opt.planning.many.runs import run_many

__all__ = ["Row", "run_many", "write_summary"]
