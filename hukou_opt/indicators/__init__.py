"""Population-weighted measures of inequality, one per file; none of them knows the plan."""
