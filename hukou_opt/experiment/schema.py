"""What an experiment file may say: one text for the editor's help, the errors and the reference."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator
from ruamel.yaml import YAML

from hukou_opt import bundled
from hukou_opt.experiment.expected import Expected
from hukou_opt.experiment.objectives import Limit, Objective
from hukou_opt.experiment.part import Part
from hukou_opt.experiment.variants import KEY as VARIANTS
from hukou_opt.experiment.variants import NOT_IN_VARIANT, VARIANT_NAME

#: How a rule of the plan acts: left out, soft with a named slack, law (before every other aim), or
#: hard (the run ends with the amounts missing where the rule cannot hold).
RuleMode = Literal["off", "soft", "law", "hard"]
#: How a rule acts that has no slack.
Switch = Literal["on", "off"]
#: How a target of the plan acts that binds nothing unless an experiment makes it.
TargetMode = Literal["report", "soft", "law", "hard"]
Comparator = Literal["equal_per_head", "by_migrants", "by_need", "by_transfers"]
#: Steps that divide a year and are exact in binary, so that year ends fall on steps.
TIME_STEPS = (1.0, 0.5, 0.25, 0.125, 0.0625)
#: A shipped model's name; anything else under ``model:`` is a path.
MODEL_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Title(Part):
    """Title of tables and figures in two languages."""

    en: str = ""
    """English title; the experiment's name where empty."""
    zh: str = ""
    """Chinese title; the English one where empty."""


class Horizon(Part):
    """Years of the run."""

    end: int = 2033
    """Last year in which the plan decides (plan 8)."""
    tail: int = 2038
    """Last year for which needs are looked at, so that nothing is built for two years only."""


class Rules(Part):
    """How the plan's rules act; plain bookkeeping is always on (see `hukou-opt rules`)."""

    support_floor: RuleMode = "soft"
    """The centre pays half of the certified cost of supported regions (plan 6.1)."""
    public_share: RuleMode = "soft"
    """Share of migrant children in public schools by the target year (plan 3.1)."""
    rural_level: RuleMode = "soft"
    """Rural services reach a given part of urban ones in the last year (plan 3.3)."""
    no_dilution: RuleMode = "soft"
    """Capacity grows with population where it is short (plan 6.2)."""
    seat_target: TargetMode = "report"
    """New public school seats in town by the target year (plan 3.1)."""
    seat_target_counts: Literal["completed", "started"] = "completed"
    """What counts for the seat target: seats that stand, or seats whose building has started."""
    performance_reward: RuleMode = "off"
    """A part of the fund follows the settlers of the block before (plan 7.1)."""
    support_ceiling: Switch = "off"
    """The centre pays at most its highest share of a region's certified cost (plan 6.1)."""
    sector_shares: Switch = "on"
    """The fund is split between sectors as the plan says (plan 7.1), in each block nearly so."""
    local_sector_shares: Switch = "off"
    """Money of provinces and cities is split between sectors like the fund."""
    block_money: Switch = "on"
    """A region's central money is set for three years at a time (plan 6.1)."""
    bonds_region: Switch = "on"
    """A region's bonds follow its land revenue."""
    build_rate: Switch = "on"
    """Building starts stay within a share of standing capacity."""
    building_steps: Switch = "off"
    """Building starts change by a limited step from year to year."""
    teachers: Switch = "on"
    """New seats have teachers, within the plan's new posts (plan 7.2)."""
    private_partners: Switch = "on"
    """Private partners build some schools and hospitals (plan 9.2)."""


class Allocation(Part):
    """The linear program that shares out the money and the building."""

    enabled: bool = True
    """False: the stock-flow model runs alone, without allocation."""
    rules: Rules = Rules()
    """How the plan's rules act."""
    objectives: tuple[Objective, ...] = Field(
        default=("unfunded_worst", "unfunded", "unmet", "slack", "cost"),
        strict=False,
        min_length=1,
    )
    """What is made small, in this order: names of shipped levels, or levels of your own. Among the
    answers that are equally good the one nearest to need is taken."""
    limits: tuple[Limit, ...] = Field(default=(), strict=False)
    """Inequality measures that may not exceed a value."""
    accept_levelling_down: bool = False
    """True: a level may be met by making somebody worse off and nobody better off. Such measures
    (Gini, mean deviation, Hoover) are refused otherwise, unless a level before them holds the
    need of everybody."""
    count_settlers: Literal["mid_year", "end_year"] = "mid_year"
    """Settlers who make up the certified cost of a year: its mean, or those at its end."""
    comparators: tuple[Comparator, ...] = Field(
        default=("equal_per_head", "by_migrants", "by_need", "by_transfers"), strict=False
    )
    """Plain formulas for the central money, set beside the result."""


class Coupling(Part):
    """Rounds between the stock-flow model and the linear program."""

    max_rounds: int = Field(default=12, ge=1)
    """Rounds after which the run stops and says that it has not converged."""
    tolerance: float = Field(default=0.005, gt=0, lt=1)
    """Share of the fund, and of the needs, that may still move between the last two rounds."""


class Rolling(Part):
    """Rolling horizon: what is decided rests on beliefs, what happens on `parameters`."""

    every: int | None = Field(default=None, ge=1)
    """Years after which the state is observed and the shares are set anew (plan 6.1: 3); missing:
    they are set once, at the start."""
    believed: dict[str, float] = Field(default_factory=dict)
    """Parameters of the stock-flow model that the planner takes for true, by name, in the
    registry's units; the others are known as they are."""


class Experiment(Part):
    """One run: regions, base year, reform or not, changed parameters, rules of the allocation."""

    schema_version: Literal[1] = 1
    """Version of this file's layout."""
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)?$")
    """Short name; also the name of the output folder. The file's name where missing; a variant's is
    that of its family, a dot, and its own."""
    title: Title = Title()
    """Title of tables and figures; not inherited."""
    description: str = ""
    """What the experiment asks, in a sentence or two; not inherited."""
    extends: str | None = None
    """Shipped experiment or file whose settings hold wherever this file is silent."""
    regions: str = "china_provinces"
    """Shipped region table, or the path of your own."""
    base_year: int = 2023
    """Year at whose end the run starts."""
    base: Literal["official", "plan"] = "official"
    """Where the base year's hukou and school shares come from: official statistics or the plan."""
    calibration: str | None = None
    """Shipped calibration (``to_2020``, ``to_2023``) or the path of your own file, as written by
    ``hukou-opt calibrate``: moves between regions and settlement follow it instead of the estimates
    of the base year."""
    model: str = "hukou"
    """Shipped stock-flow model, or the path of your own Vensim file, in this file's folder."""
    trust_model: bool = False
    """True: you have read the model file that ``model`` names, and trust it. A model that does not
    ship with the toolkit does not run without. Not inherited by a file that names a model."""
    engine: Literal["arrays", "pysd"] = "arrays"
    """What runs the rounds: the array engine, whose published run PySD repeats, or PySD alone."""
    model_constants: dict[str, float] = Field(default_factory=dict)
    """Constants of your own model other than the file's values, one number each, in its units."""
    reform: bool = True
    """False: openness, land rights and school rules stay as they are."""
    horizon: Horizon = Horizon()
    """Until when the plan decides, and until when needs are looked at."""
    time_step: float = 0.25
    """Step of the stock-flow model in years: 1, 0.5, 0.25, 0.125 or 0.0625."""
    parameters: dict[str, float] = Field(default_factory=dict)
    """Parameters other than the registry's values, by name, in the registry's units."""
    allow_out_of_range: bool = False
    """Accept parameters outside the registry's range."""
    allocation: Allocation = Allocation()
    """The linear program."""
    coupling: Coupling = Coupling()
    """Rounds between model and linear program."""
    rolling: Rolling | None = None
    """Shares set anew from the observed state; missing: one plan, carried out as it was made."""
    expect: tuple[Expected, ...] = Field(default=(), strict=False)
    """Figures that the run is expected to give; not inherited, and no setting of the run."""

    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _years_and_step(self) -> Experiment:
        if not self.base_year < self.horizon.end <= self.horizon.tail:
            raise ValueError(
                "horizon: base_year < end <= tail must hold "
                f"({self.base_year}, {self.horizon.end}, {self.horizon.tail})"
            )
        if self.time_step not in TIME_STEPS:
            raise ValueError(
                f"time_step: must divide the year exactly, one of {TIME_STEPS} ({self.time_step})"
            )
        return self

    @property
    def title_en(self) -> str:
        """English title, the name where none is given."""
        return self.title.en or self.name

    @property
    def title_zh(self) -> str:
        """Chinese title, the English one where none is given."""
        return self.title.zh or self.title_en

    @property
    def calibration_source(self) -> Path | None:
        """Path of the calibration, or None.

        A relative path counts from the experiment file's folder.
        """
        if self.calibration is None:
            return None
        shipped = bundled.calibrations().get(self.calibration)
        if shipped is not None:
            return shipped
        path = Path(self.calibration)
        return path if path.is_absolute() or self._folder is None else self._folder / path

    @property
    def regions_source(self) -> str | Path:
        """Name of the shipped region table, or the path of a user's table.

        A relative path counts from the experiment file's folder.
        """
        if bundled.data_folder(self.regions).is_dir():
            return self.regions
        path = Path(self.regions)
        return path if self._folder is None else self._folder / path

    @property
    def names_shipped_model(self) -> bool:
        """Whether the model is one that ships with the toolkit, given by name."""
        return bool(MODEL_NAME.fullmatch(self.model)) and self._shipped.is_file()

    @property
    def _shipped(self) -> Path:
        return bundled.folder("models") / f"{self.model}.mdl"

    @property
    def model_source(self) -> Path:
        """Path of the stock-flow model: a shipped one, or the user's own.

        A relative path counts from the experiment file's folder.
        """
        if self.names_shipped_model:
            return self._shipped
        path = Path(self.model)
        return path if self._folder is None else self._folder / path

    def to_yaml(self) -> str:
        """Resolved settings as YAML text: all defaults and inherited values written out.

        Expected figures are left out: they change nothing in the run.
        """
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        stream = io.StringIO()
        yaml.dump(_plain(self.model_dump(mode="json", exclude={"extends", "expect"})), stream)
        return stream.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def experiment_schema() -> dict[str, Any]:
    """JSON schema of experiment files, for completion and checks in editors."""
    schema = Experiment.model_json_schema()
    # The file's name stands in for a missing name.
    schema["required"] = [key for key in schema.get("required", []) if key != "name"]
    if not schema["required"]:
        del schema["required"]
    within = {key: item for key, item in schema["properties"].items() if key not in NOT_IN_VARIANT}
    schema["$defs"]["Variant"] = {
        "description": "A run of a family: what it changes in the settings above it.",
        "type": "object",
        "properties": within,
        "required": ["title"],
        "additionalProperties": False,
    }
    schema["properties"][VARIANTS] = {
        "description": "Runs of this file by name, each with a title of its own and whatever it "
        "changes; the file is then a family, run as a whole or as `family.variant`.",
        "type": "object",
        "propertyNames": {"pattern": f"^{VARIANT_NAME.pattern}$"},
        "additionalProperties": {"$ref": "#/$defs/Variant"},
        "minProperties": 1,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Text of the shipped `schema.json`."""
    return json.dumps(experiment_schema(), indent=2, ensure_ascii=False) + "\n"
