"""Check the model against history: started in the past, it must foresee the census of 2020."""

from __future__ import annotations

from hukou_opt.dynamics.validation.report import Finding, Question
from hukou_opt.parameters import load_parameters

GROUP = "history"
#: The honest test: figures as first published, nothing known later.
TEST = "first_published"
REFERENCE = "Theil 1966; Sterman 1984: summary statistics of fit to history"
#: Theil's U of a forecast of no change.
NO_CHANGE = 1.0
QUANTITIES = {
    "population": "Theil's U of provincial population 2020, forecast from figures to 2015",
    "urban_share": "Theil's U of provincial urban shares 2020, forecast from figures to 2015",
    "hukou_rate": "Theil's U of the national hukou rate 2020, forecast from figures to 2015",
}
QUESTIONS = tuple(
    Question(f"{GROUP}.{name}", GROUP, words, "1", NO_CHANGE, REFERENCE)
    for name, words in QUANTITIES.items()
)


def judge_history() -> list[Finding]:
    """Run the primary form of the back-test and say where its errors lie.

    The registry is that of the toolkit, not the experiment's: the protocol fixes it.
    """
    from hukou_opt.fit.backtest import backtest
    from hukou_opt.fit.protocol import load_protocol

    protocol = load_protocol()
    found = backtest(load_parameters(), tests=[TEST], forms=[protocol.primary], progress=False)
    parts = {each.quantity: each.theil for each in found.forecasts if each.name == protocol.primary}
    return [
        question.judge(
            parts[name].inequality,
            f"UM {parts[name].bias:.2f}, US {parts[name].variance:.2f}, "
            f"UC {parts[name].covariance:.2f}",
        )
        for name, question in zip(QUANTITIES, QUESTIONS, strict=True)
    ]
