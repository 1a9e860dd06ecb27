"""The parameter registry."""

from hukou_opt.parameters.registry import Parameter, Parameters, load_parameters

__all__ = ["Parameter", "Parameters", "load_parameters"]
