"""Diagrams: pipes between stocks, a layout without overlaps, files that are the same each time."""

from __future__ import annotations

import hashlib
import itertools
import re

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, PathPatch, Rectangle
from matplotlib.path import Path
from typer.testing import CliRunner

from hukou_opt import bundled
from hukou_opt.cli import app
from hukou_opt.dynamics.structure import read_structure
from hukou_opt.errors import ModelError, OutputError
from hukou_opt.report.diagram import (
    FORMATS,
    drawn_sectors,
    overview,
    sector_figure,
    write_diagrams,
)
from hukou_opt.report.diagram_drivers import acting, groups_of
from hukou_opt.report.diagram_flows import pipes_of
from hukou_opt.report.diagram_ink import wrapped
from hukou_opt.report.diagram_layout import components, depths, layered, shelves
from hukou_opt.report.diagram_links import links_between

pytestmark = pytest.mark.plots

LEAST_POINTS = 7.0


@pytest.fixture(scope="module")
def structure():
    return read_structure(bundled.model())


@pytest.fixture(scope="module")
def figures(structure):
    made = {name: sector_figure(structure, name) for name in drawn_sectors(structure)}
    made["settlement, constants"] = sector_figure(structure, "settlement", constants=True)
    return {"overview": overview(structure), **made}


def _words(figure):
    """Texts and their boxes on the page."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return [(text, text.get_window_extent(renderer)) for text in figure.axes[0].texts]


def test_no_two_words_overlap_and_none_leaves_the_page(figures):
    for name, figure in figures.items():
        words = _words(figure)
        for (first, one), (second, two) in itertools.combinations(words, 2):
            # Lines of one name touch at their leading; a pixel is no overlap.
            apart = (
                one.x1 - 1 <= two.x0 or two.x1 - 1 <= one.x0
                or one.y1 - 2 <= two.y0 or two.y1 - 2 <= one.y0
            )  # fmt: skip
            assert apart, (name, first.get_text(), second.get_text())
        for text, box in words:
            assert min(box.x0, box.y0) >= 0, (name, text.get_text())
            assert box.x1 <= figure.bbox.x1, (name, text.get_text())
            assert box.y1 <= figure.bbox.y1, (name, text.get_text())


def test_no_pipe_arrow_or_box_runs_through_a_word(figures):
    for name, figure in figures.items():
        axes = figure.axes[0]
        words = [(text, box.padded(-1)) for text, box in _words(figure)]
        # The halo of a number on the ring lets its own line pass below it.
        words = [(text, box) for text, box in words if text.get_bbox_patch() is None]
        edges = [patch for patch in axes.patches if type(patch) is Rectangle]
        arrows = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
        bends = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
        outlines = [
            polygon
            for drawn in (*axes.lines, *edges, *arrows, *bends)
            for polygon in _path(drawn, axes).to_polygons(closed_only=False)
        ]
        for outline, (text, box) in itertools.product(outlines, words):
            assert not Path(outline).intersects_bbox(box, filled=False), (name, text.get_text())


def _path(drawn, axes):
    """Outline of a line or patch in dots."""
    if type(drawn) is Rectangle:
        return drawn.get_path().transformed(drawn.get_transform())
    return drawn.get_path().transformed(axes.transData)


def test_letters_are_large_enough_and_names_are_no_formulas(figures):
    for figure in figures.values():
        for text in figure.axes[0].texts:
            assert text.get_fontsize() >= LEAST_POINTS
            assert not text.get_parse_math()


def test_every_flow_of_every_stock_is_in_one_pipe(structure):
    pipes = pipes_of(structure)
    for element in structure.elements:
        if element.kind != "stock":
            continue
        into = [name for p in pipes if p.target == element.name for name in p.names]
        out = [name for p in pipes if p.source == element.name for name in p.names]
        for term in element.inflows:
            assert into.count(term.name) == 1, (element.name, term)
        for term in element.outflows:
            assert out.count(term.name) == 1, (element.name, term)
        number = sum(element.name in (p.source, p.target) for p in pipes)
        assert number == len(element.terms), element.name


def test_sums_over_a_dimension_join_stocks(structure):
    ends = {(pipe.source, pipe.target): pipe for pipe in pipes_of(structure)}
    pipe = ends["migrants", "urban_hukou_residents"]
    assert pipe.names == ("settlement", "settlers")
    assert pipe.label == ("settlement", "Σ settlers")
    assert ("rural_residents", "migrants") in ends


def test_all_that_acts_is_drawn_and_every_link_is_an_arrow_or_a_name(structure):
    pipes = pipes_of(structure)
    live = acting(structure, pipes)
    for sector in structure.sectors:
        groups = groups_of(structure, sector.name, pipes, constants=True)
        drawn = {name for group in groups for name, label in group.labels.items() if label.lines}
        expected = {e.name for e in sector.elements if e.name in live and not e.is_stock}
        assert drawn == expected
        for group in groups:
            for name in drawn & group.labels.keys():
                shown = {source for source, target in group.links if target == name}
                if name + " inputs" in group.labels:
                    shown.remove(name + " inputs")
                    entries = group.labels[name + " inputs"].entries
                    shown |= {entry.name for entry in entries} - {"Time"}
                assert shown == set(structure.inputs_of(name)), name


def test_numbers_on_the_ring_count_variables(structure):
    live = acting(structure, pipes_of(structure))
    links = links_between(structure, live)
    read = {
        name
        for element in structure.sector("schools").elements
        if element.name in live
        for name in element.inputs
        if name in live and structure.element(name).sector == "reform"
    }
    assert links["reform", "schools"] == len(read) > 0
    assert all(source != target for source, target in links)


def test_the_same_model_gives_the_same_bytes(structure, tmp_path):
    folders = (tmp_path / "a", tmp_path / "b")
    hashes = []
    for folder in folders:
        written = write_diagrams(structure, folder, sectors=["people"])
        assert [path.name for path in written] == ["sector_people.png", "sector_people.svg"]
        hashes.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in written])
    assert hashes[0] == hashes[1]
    picture = (folders[0] / "sector_people.svg").read_text(encoding="utf-8")
    assert re.search(r"<text[^>]*>rural_residents</text>", picture)
    assert "<dc:date>" not in picture
    assert "Matplotlib" not in re.sub(r"<!--.*?-->", "", picture)
    assert b"Software" not in (folders[0] / "sector_people.png").read_bytes()


def test_nothing_is_written_for_an_unknown_sector(structure, tmp_path):
    with pytest.raises(ModelError, match="did you mean 'people'"):
        write_diagrams(structure, tmp_path / "out", sectors=["land", "peopel"])
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(structure, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OutputError):
        write_diagrams(structure, tmp_path / "file", sectors=["tension"], formats=FORMATS[:1])


def test_the_command_draws_what_is_asked(tmp_path):
    out = tmp_path / "pictures"
    done = CliRunner().invoke(
        app, ["diagram", "--sector", "tension", "--format", "svg", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(out / "sector_tension.svg")]
    failed = CliRunner().invoke(app, ["diagram", "--sector", "tensoin", "--out", str(out)])
    assert failed.exit_code == 3
    assert "did you mean 'tension'" in failed.output


def test_the_command_draws_another_model(tmp_path):
    model = tmp_path / "own.mdl"
    text = bundled.model().read_text(encoding="utf-8")
    model.write_text(text.replace("\t.tension\n", "\t.unrest\n"), encoding="utf-8")
    out = tmp_path / "pictures"
    done = CliRunner().invoke(
        app, ["diagram", str(model), "--sector", "unrest", "--format", "png", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert [path.name for path in out.iterdir()] == ["sector_unrest.png"]


def test_layers_put_causes_left_of_effects():
    sizes = dict.fromkeys("abcde", (1.0, 0.2))
    links = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c"), ("e", "b")]
    made = layered(sizes, links)
    for source, target in links:
        assert made.places[source][0] < made.places[target][0]
    # The long arrow passes through the layer of b without touching b.
    (left, y), (right, _) = made.passages["a", "c"]
    assert left == made.columns["b"][0]
    assert right == made.columns["b"][1]
    assert abs(y - made.places["b"][1]) >= 0.1
    for layer in (["a", "e"], ["b", "d"]):
        ys = sorted(made.places[name][1] for name in layer)
        assert ys[1] - ys[0] >= 0.2


def test_circles_are_refused_and_groups_found():
    with pytest.raises(ValueError, match="circle"):
        depths(["a", "b"], [("a", "b"), ("b", "a")])
    assert components(list("abcd"), [("a", "c")]) == [["a", "c"], ["b"], ["d"]]


@pytest.mark.parametrize("in_order", [True, False])
def test_shelves_hold_everything_without_overlap(in_order):
    sizes = [(3.0, 1.0), (2.0, 2.5), (4.0, 0.5), (1.0, 1.0), (1.5, 0.7), (6.5, 0.3)]
    places, (width, height) = shelves(sizes, 6.0, 0.2, in_order=in_order)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(places, sizes, strict=True)]
    for one, two in itertools.combinations(boxes, 2):
        assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
    for x0, y0, x1, y1 in boxes:
        assert 0 <= x0 <= x1 <= width + 1e-9
        assert -1e-9 <= y0 <= y1 <= height + 1e-9
    assert width == 6.5


def test_names_break_at_underscores():
    assert wrapped("urban_hukou_leaving_age", 12) == ["urban_hukou_", "leaving_age"]
    assert wrapped("short", 3) == ["short"]
