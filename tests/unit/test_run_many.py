from __future__ import annotations

import csv
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from result_builder import attrs, groups, result
from tasks import double, ignore, nap, who
from typer.testing import CliRunner

from hukou_opt.cli import app
from hukou_opt.cli.run_many import experiments_of, table_text
from hukou_opt.errors import ExperimentError, Fault, InfeasibleError, ModelError
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.planning.many import runs as runner
from hukou_opt.planning.many.identity import identity_in, identity_of, kept_result
from hukou_opt.planning.many.rows import Row, earlier_seconds, row_of, write_summary
from hukou_opt.planning.many.runs import FAILURE_FILE, Task, run_many, run_one
from hukou_opt.result import Result
from hukou_opt.workers import answers


def experiments(*names: str) -> list[Experiment]:
    base = load_experiment("no_reform")
    return [base.model_copy(update={"name": name}) for name in names]


def lines(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as handle:
        return {line["name"]: line for line in csv.DictReader(handle)}


def note(task: Task) -> Row:
    if task.settings.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    task.folder.mkdir(parents=True)
    threads = os.environ.get("OMP_NUM_THREADS", "")
    (task.folder / "noted").write_text(threads, encoding="utf-8")
    return Row(task.settings.name, "ran", 1.5)


def test_a_process_that_dies_takes_only_its_own_task_with_it() -> None:
    begun: list[int] = []
    found = dict(answers(double, [1, 2, 3, 4, 5], 2, begun.append))
    assert found == {1: 2, 2: 4, 3: None, 4: 8, 5: 10}
    assert sorted(begun) == [1, 2, 3, 4, 5]


def test_a_process_takes_one_task_after_another() -> None:
    pids = [answer for _, answer in answers(who, [1, 2, 3, 4], 2, ignore)]
    assert len(set(pids)) == 2
    assert os.getpid() not in pids


def test_processes_are_ended_when_the_call_is_left() -> None:
    stream = answers(who, [1, 2, 3, 4], 1, ignore)
    _, pid = next(stream)
    stream.close()
    assert pid is not None
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the process is still there")


def test_work_that_goes_on_is_not_waited_for() -> None:
    stream = answers(nap, [0, 300], 2, ignore)
    assert next(stream) == (0, 0)
    begun = time.monotonic()
    stream.close()
    assert time.monotonic() - begun < 60


def test_one_that_dies_is_listed_and_the_others_are_there(tmp_path: Path) -> None:
    before = dict(os.environ)
    rows = run_many(
        experiments("a", "killed", "b"), tmp_path / "out", jobs=2, progress=False, work=note
    )
    assert [(row.name, row.state) for row in rows] == [
        ("a", "ran"),
        ("killed", "failed"),
        ("b", "ran"),
    ]
    assert "its process died" in rows[1].reason
    assert not rows[1].answered
    assert (tmp_path / "out" / "b" / "noted").read_text() == before.get("OMP_NUM_THREADS", "1")
    assert dict(os.environ) == before
    assert lines(tmp_path / "out")["killed"]["reason"] == rows[1].reason


def saved(folder: Path, settings: Experiment, **changes: object) -> Result:
    """A result of no_reform's own identity, with a made-up path, as an earlier call saved it."""
    parts = groups()
    table = parts["parameters"]
    made = Result.build(
        attrs(allocation=0, certified=0, experiment=settings.name),
        {**{name: parts[name] for name in ("regions", "trajectory")}, "parameters": table},
    )
    identity = identity_in(made)
    given = {key: value for key, value in identity_of(settings).items() if key != "parameters"}
    made = Result.build({**made.attrs, **given, **changes}, {n: made[n] for n in made.tree})
    assert identity.keys() == identity_of(settings).keys()
    folder.mkdir(parents=True, exist_ok=True)
    made.save(folder / "result.nc")
    return made


@pytest.fixture
def same_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a made-up result's few parameters for those of the registry, and derive data once."""
    from hukou_opt.planning.many import identity

    given = identity.inputs_of(load_experiment("no_reform"))
    monkeypatch.setattr(identity, "_digest", lambda _: "same")
    monkeypatch.setattr(identity, "inputs_of", lambda _: given)


@pytest.mark.usefixtures("same_parameters")
def test_a_saved_result_is_kept_only_where_it_would_come_out_the_same(tmp_path: Path) -> None:
    (settings,) = experiments("a")
    assert kept_result(settings, tmp_path) is None
    made = saved(tmp_path, settings)
    assert kept_result(settings, tmp_path) == made
    other = settings.model_copy(update={"parameters": {"guard": 0.1}})
    assert kept_result(other, tmp_path) is None
    expecting = settings.model_copy(update={"expect": load_experiment("no_reform").expect})
    assert kept_result(expecting, tmp_path) == made
    for change in ("toolkit_version", "model_sha256", "data_identity", "versions"):
        saved(tmp_path, settings, **{change: "other"})
        assert kept_result(settings, tmp_path) is None, change
    saved(tmp_path, settings)
    (tmp_path / ".part-1").mkdir()
    assert kept_result(settings, tmp_path) is None
    (tmp_path / ".part-1").rmdir()
    (tmp_path / "result.nc").write_bytes(b"half a file")
    assert kept_result(settings, tmp_path) is None


def test_a_parameter_of_the_registry_that_has_changed_is_another_run(tmp_path: Path) -> None:
    (settings,) = experiments("a")
    saved(tmp_path, settings)
    # The made-up result has two parameters only, the registry all of them.
    assert kept_result(settings, tmp_path) is None


@pytest.mark.usefixtures("same_parameters")
def test_what_is_kept_is_not_run_again_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings,) = experiments("a")
    made = saved(tmp_path / "a", settings)
    monkeypatch.setattr(runner, "_run", lambda task: Row(task.settings.name, "ran", 9.0))
    kept = run_one(Task(settings, tmp_path / "a", False, None))
    assert (kept.state, kept.identity, kept.rounds) == ("kept", made.identity, None)
    assert run_one(Task(settings, tmp_path / "a", True, None)).state == "ran"


def test_each_kind_of_failure_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings,) = experiments("a")
    task = Task(settings, tmp_path / "a", True, None)
    fault = Fault("rule x", "is short (3)", "give more")

    def run_with(error: Exception) -> Row:
        def fail(task: Task) -> Row:
            raise error

        monkeypatch.setattr(runner, "_run", fail)
        return run_one(task)

    infeasible = run_with(InfeasibleError(fault))
    assert (infeasible.state, infeasible.answered) == ("infeasible", True)
    assert "The hard rules cannot all hold: rule x | is short (3)" in infeasible.reason
    broken = run_with(ModelError(fault))
    assert (broken.state, broken.answered) == ("failed", False)
    assert "rule x" in broken.reason
    bug = run_with(ZeroDivisionError("by zero"))
    assert bug.state == "failed"
    assert "ZeroDivisionError: by zero" in bug.reason
    assert "ZeroDivisionError" in (tmp_path / "a" / FAILURE_FILE).read_text(encoding="utf-8")


def test_a_row_has_the_residual_of_the_published_round(tmp_path: Path) -> None:
    row = row_of(result(published_round=2), "ran", 3.0, tmp_path / "result.nc")
    assert (row.rounds, row.moved_fund, row.moved_need) == (3, 0.02, 0.02)
    assert (row.converged, row.certified) == (True, True)
    assert row_of(result(converged=0), "ran", 3.0, tmp_path).moved_fund == 0.001


def test_the_summary_keeps_lines_of_earlier_calls_and_their_seconds(tmp_path: Path) -> None:
    write_summary([Row("b", "ran", 12.5, identity="x"), Row("c", "ran", 3.0)], tmp_path)
    write_summary([Row("a", "ran", 2.0), replace(Row("c", "failed"), reason="r")], tmp_path)
    assert list(lines(tmp_path)) == ["a", "b", "c"]
    assert lines(tmp_path)["c"]["state"] == "failed"
    assert lines(tmp_path)["b"]["seconds"] == "12.5"
    assert earlier_seconds(tmp_path) == {"x": 12.5}
    (tmp_path / "summary.csv").write_text("name;seconds\n", encoding="utf-8")
    assert earlier_seconds(tmp_path) == {}
    write_summary([Row("d", "ran")], tmp_path)
    assert list(lines(tmp_path)) == ["d"]


def test_the_table_says_what_came_of_each() -> None:
    text = table_text(
        [
            Row("plan", "ran", 61.2, 4, 0.0012, 0.0001, True, True),
            Row("hard", "infeasible", 5.0, reason="rule x"),
            Row("wild", "kept", 7.0, 12, 0.2, 0.1, False, True),
        ]
    )
    assert "plan        ran              61       4      0.120%      0.010%      yes" in text
    assert "    rule x" in text
    assert "NO" in text
    assert text.endswith("3 experiments: 1 ran, 1 infeasible, 1 kept; 73 s of work in all.")


def test_patterns_choose_experiments_and_families() -> None:
    names = [each.name for each in experiments_of(None, True, "no_*, opening_order")]
    assert names[0] == "no_reform"
    assert len(names) > 3
    assert all(name.startswith("opening_order.") for name in names[1:])
    (one,) = experiments_of("opening_order", False, "*.mega_first")
    assert one.name == "opening_order.mega_first"


def test_a_family_is_run_whole_and_the_status_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], Path]] = []
    state = "ran"

    def fake(given: list[Experiment], out: Path, **options: object) -> list[Row]:
        calls.append(([each.name for each in given], out))
        return [Row(each.name, state) for each in given]  # type: ignore[arg-type]

    monkeypatch.setattr("hukou_opt.planning.many.run_many", fake)
    command = ["run", "opening_order", "--out", str(tmp_path), "--no-progress"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "opening_order.mega_first" in calls[0][0]
    assert calls[0][1] == tmp_path
    state = "infeasible"
    assert CliRunner().invoke(app, command).exit_code == 0
    state = "failed"
    assert CliRunner().invoke(app, command).exit_code == 1


def test_one_variant_is_a_lone_run_into_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(settings: Experiment, **options: object) -> Result:
        asked.append(settings.name)
        return result()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hukou_opt.planning.run", run)
    done = CliRunner().invoke(app, ["run", "opening_order.mega_first", "--no-progress"])
    assert done.exit_code == 0, done.output
    assert asked == ["opening_order.mega_first"]
    folder = tmp_path / "results" / "opening_order.mega_first"
    assert (folder / "result.nc").is_file()
    assert not (tmp_path / "results" / "summary.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--all", "no_reform"], "name none, or use --only"),
        (["--all", "--validate"], "works on one experiment at a time"),
        (["opening_order", "--repair", "smallest"], "works on one experiment at a time"),
        (["--all", "--threads", "2"], "works on one experiment at a time"),
        (["no_reform", "--jobs", "2"], "is for --all and for families"),
        (["no_reform", "--fresh"], "is for --all and for families"),
        (["no_reform", "--only", "x"], "is for --all and for families"),
        (["--all", "--only", "opening_ordr"], "did you mean"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(app, ["run", *arguments])
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())


def test_faults_of_all_variants_stop_the_call_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "variants:\n  a: {title: {en: A}, reform: 3}\n  b: {title: {en: B}, refrom: true}\n",
        encoding="utf-8",
    )
    with pytest.raises(ExperimentError) as caught:
        experiments_of(str(path), False, None)
    assert len(caught.value.faults) == 2
