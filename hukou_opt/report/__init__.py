"""Tables and figures, rebuilt from a result alone, without model and solver."""
