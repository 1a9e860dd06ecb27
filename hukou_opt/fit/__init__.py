"""Does the model know anything? Calibration, back-test, and naive forecasts to beat.

`protocol.yaml` fixes forms, windows, score and reference before anything is scored; `trends.py`
reads the window, `past.py` builds the base year from it, `national.py` fits the national
parameters, `calibrate.py` writes the calibration file, `backtest.py` scores against what happened.
"""
