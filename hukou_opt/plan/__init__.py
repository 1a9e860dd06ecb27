"""What the reform plan says, as facts with section, value, unit and dates."""
