"""Write `experiments/schema.json` anew: ``python -m hukou_opt.experiment``."""

from __future__ import annotations

from hukou_opt import bundled
from hukou_opt.experiment.schema import schema_text

if __name__ == "__main__":
    (bundled.folder("experiments") / "schema.json").write_text(schema_text(), encoding="utf-8")
