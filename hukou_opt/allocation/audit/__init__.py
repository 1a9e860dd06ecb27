"""The program's rows, bounds and costs a second time, from the input tables alone.

Nothing here reads the readable model, or what it is built with: both come from the specification,
so that an error in one shows against the other.
"""

from __future__ import annotations

from hukou_opt.allocation.audit.answer import Audited, Held, audited_solve, check_answer
from hukou_opt.allocation.audit.compare import Audit, audit_program

__all__ = ["Audit", "Audited", "Held", "audit_program", "audited_solve", "check_answer"]
