"""The allocation: the plan's rules as a linear program, solved and proved."""
