"""Pictures, asked for what they hold: lines, texts, colors. None opens a window."""

import gc
import os
import shlex
import shutil
import subprocess
import sys
import weakref
from io import BytesIO

import numpy as np
import pytest

import minigrad as mg
from minigrad import metrics, plot
from minigrad.plot.canvas import mosaic

pytest.importorskip("matplotlib", reason="without matplotlib there are no pictures to test")

from matplotlib import rcParams
from matplotlib.colors import same_color, to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread

RUN = {
    "loss": [1.0, 0.5, 0.25],
    "accuracy": [0.5, 0.75, 0.875],
    "val_loss": [1.5, 0.75, 0.5],
    "val_accuracy": [0.25, 0.5, 0.625],
}
IMAGES = np.arange(4 * 28 * 28, dtype=np.uint8).reshape(4, 28, 28)
ACTUAL = np.array([0, 1, 2, 1])
PROBABILITIES = np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0, 0.6, 0.4], [0, 1, 0]])  # 2 are wrong


def every_picture():
    """Name to picture, Figure or Axes, of every function here that needs no other program."""
    x = np.random.default_rng(0).normal(size=(30, 2))
    return {
        "history": plot.history(RUN),
        "images": plot.images(IMAGES),
        "predictions": plot.predictions(IMAGES, PROBABILITIES, ACTUAL),
        "mistakes": plot.mistakes(IMAGES, PROBABILITIES, ACTUAL),
        "confusion": plot.confusion([[8, 2], [1, 9]]),
        "reliability": plot.reliability(PROBABILITIES, ACTUAL),
        "boundary": plot.decision_boundary(lambda p: p, x, (x[:, 1] > x[:, 0]).astype(int)),
        "filters": plot.filters(x.reshape(6, 1, 2, 5)),
        "maps": plot.feature_maps(x.reshape(3, 4, 5)),
    }


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def titles(figure):
    return [ax.get_title() for ax in figure.axes]


# ---- history -------------------------------------------------------------------------------------


def test_history_draws_training_and_validation_over_epochs_from_1():
    loss, accuracy = plot.history(RUN).axes
    for ax, key, scale in [(loss, "loss", 1), (accuracy, "accuracy", 100)]:
        for line, prefix in zip(ax.lines, ("", "val_"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
            np.testing.assert_allclose(line.get_ydata(), scale * np.array(RUN[prefix + key]))
        assert labels(ax) == ["training", "validation"]
        assert ax.get_xlabel() == "epoch"
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy (%)")
    assert titles(loss.figure) == ["Loss", "Accuracy"]


def test_several_runs_share_a_picture_in_colors_and_markers_of_their_own():
    loss, _ = plot.history({"slow": RUN, "fast": RUN}).axes
    assert labels(loss) == [
        f"{run}, {split}" for run in ("slow", "fast") for split in ("training", "validation")
    ]
    colors = [line.get_color() for line in loss.lines]
    assert colors == [plot.COLORS[0]] * 2 + [plot.COLORS[1]] * 2
    assert [line.get_linestyle() for line in loss.lines] == ["-", "--"] * 2
    assert loss.lines[0].get_marker() != loss.lines[2].get_marker()


def test_history_without_validation_or_accuracy_draws_what_there_is():
    figure = plot.history({"loss": [1.0, 0.5], "val_loss": [], "learning_rate": [0.1, 0.1]})
    assert titles(figure) == ["Loss"]
    assert labels(figure.axes[0]) == ["training"]


def test_a_single_epoch_is_a_visible_marker_at_an_integer_tick():
    for ax in plot.history({key: values[:1] for key, values in RUN.items()}).axes:
        assert all(line.get_marker() not in ("", "None") for line in ax.lines)
        low, high = ax.get_xlim()
        assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 12, 100])
def test_epoch_ticks_are_integers(epochs):
    ax = plot.history({"loss": list(np.linspace(1, 0.1, epochs))}).axes[0]
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_leaves_a_gap_and_is_told(bad, tmp_path):
    figure = plot.history({"loss": [2.0, bad, 1.0]})
    line = figure.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), [2, np.nan, 1])
    assert labels(figure.axes[0]) == ["training (not finite: epoch 2)"]
    plot.save(tmp_path / "all.png", plot.history({"loss": [bad, bad]}))


def test_accuracy_shows_no_room_above_100_percent():
    assert plot.history({"loss": [0.1], "accuracy": [1.0]}).axes[1].get_ylim()[1] <= 101


def test_history_of_a_run_that_was_interrupted_in_its_first_epoch_has_no_curves():
    figure = plot.history({"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []})
    assert titles(figure) == ["Loss", "Accuracy"]
    assert all(ax.get_legend() is None and not ax.lines for ax in figure.axes)


@pytest.mark.parametrize("histories", [{}, {"run": {}}, {"run": {"lr": [0.1]}}])
def test_history_of_nothing_says_what_it_expects(histories):
    with pytest.raises(ValueError, match="under 'loss'"):
        plot.history(histories)


# ---- images, predictions, mistakes ---------------------------------------------------------------


@pytest.mark.parametrize("channel", [False, True])
def test_images_are_a_plain_grid_in_their_order(channel):
    images = np.arange(1, 21, dtype=np.float32).reshape(5, 2, 2)
    ax = plot.images(images[:, None] if channel else images, columns=3)
    white = np.nan
    np.testing.assert_array_equal(
        ax.images[0].get_array().filled(np.nan),
        [
            [1, 2, white, 5, 6, white, 9, 10],
            [3, 4, white, 7, 8, white, 11, 12],
            [white] * 8,
            [13, 14, white, 17, 18, white, white, white],
            [15, 16, white, 19, 20, white, white, white],
        ],
    )
    assert ax.images[0].get_cmap().name == "gray"
    assert ax.images[0].get_clim() == (1, 20)
    assert ax.get_title() == "5 images"
    assert not ax.child_axes  # no color bar


def test_images_shows_at_most_count_and_no_more_columns_than_there_are():
    ax = plot.images(IMAGES, count=3, columns=8)
    assert ax.get_title() == "The first 3 of 4 images"
    assert ax.images[0].get_array().shape == (28, 3 * 28 + 2)


def test_images_of_other_shapes_or_none_are_refused():
    with pytest.raises(ValueError, match=r"got \(4, 784\)"):
        plot.images(IMAGES.reshape(4, 784))
    with pytest.raises(ValueError, match="at least one image"):
        plot.images(IMAGES[:0])


@pytest.mark.parametrize("draw", [plot.predictions, plot.mistakes])
def test_targets_before_probabilities_are_refused_and_the_order_is_said(draw):
    with pytest.raises(ValueError, match=r"answers come first and then the targets.*\(4, 3\)"):
        draw(IMAGES, ACTUAL, PROBABILITIES)
    figure = draw(IMAGES, targets=ACTUAL, **{
        "predicted" if draw is plot.predictions else "probabilities": PROBABILITIES
    })  # fmt: skip
    assert "actual 1\n✗ predicted 0, 80.0 %" in titles(figure)


def test_predictions_show_actual_predicted_and_probability():
    figure = plot.predictions(IMAGES, PROBABILITIES, ACTUAL)
    assert titles(figure) == [
        "actual 0\npredicted 0, 90.0 %",
        "actual 1\n✗ predicted 0, 80.0 %",
        "actual 2\n✗ predicted 1, 60.0 %",
        "actual 1\npredicted 1, 100.0 %",
    ]
    assert figure.get_suptitle() == "Predictions: 2 of 4 right"
    for ax, image in zip(figure.axes, IMAGES, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)


def test_wrong_predictions_are_red_and_framed_and_right_ones_are_not():
    for i, ax in enumerate(plot.predictions(IMAGES, PROBABILITIES, ACTUAL).axes):
        wrong = i in (1, 2)
        assert same_color(ax.title.get_color(), plot.RED if wrong else "black")
        assert all(spine.get_visible() == wrong for spine in ax.spines.values())
        assert not wrong or all(same_color(s.get_edgecolor(), plot.RED) for s in ax.spines.values())


def test_predicted_labels_without_probabilities():
    figure = plot.predictions(IMAGES, [0, 1, 2, 0], ACTUAL)
    assert titles(figure)[2:] == ["actual 2\npredicted 2", "actual 1\n✗ predicted 0"]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_may_have_a_channel_axis_and_any_range(dtype, tmp_path):
    images = IMAGES[:, None].astype(dtype) - dtype(0 if dtype == np.uint8 else 127)
    figure = plot.predictions(images, PROBABILITIES, ACTUAL)
    image = figure.axes[0].images[0]
    assert image.get_clim() == (images.min(), images.max())
    np.testing.assert_array_equal(image.get_array(), images[0, 0])


def test_predictions_show_at_most_count():
    assert len(plot.predictions(IMAGES, PROBABILITIES, ACTUAL, count=3).axes) == 3


def test_mistakes_come_surest_first_and_leave_out_what_is_right():
    figure = plot.mistakes(IMAGES[::-1], PROBABILITIES[::-1], ACTUAL[::-1])
    assert titles(figure) == ["actual 1\n✗ predicted 0, 80.0 %", "actual 2\n✗ predicted 1, 60.0 %"]
    assert figure.get_suptitle() == "Most confident mistakes: 2 of 2 in 4 images"
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), IMAGES[1])


def test_no_mistakes_is_a_picture_that_says_so(tmp_path):
    figure = plot.mistakes(IMAGES, PROBABILITIES, PROBABILITIES.argmax(axis=1))
    assert figure.get_suptitle() == "No mistakes in 4 images"
    plot.save(tmp_path / "none.png", figure)


def test_images_of_a_wrong_shape_number_or_without_probabilities_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 784\)"):
        plot.predictions(IMAGES.reshape(4, 784), PROBABILITIES, ACTUAL)
    with pytest.raises(ValueError, match="3 images for 4 labels"):
        plot.predictions(IMAGES[:3], PROBABILITIES, ACTUAL)
    with pytest.raises(ValueError, match="softmax"):
        plot.predictions(IMAGES, 9 * PROBABILITIES, ACTUAL)


# ---- confusion, reliability, decision_boundary ---------------------------------------------------


def test_confusion_shows_each_count_in_its_cell_under_actual_and_predicted():
    ax = plot.confusion([[90, 7], [2, 901]])
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "90", (1, 0): "7", (0, 1): "2", (1, 1): "901"}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "actual")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1"]
    assert ax.get_title() == "Confusion matrix: 99.10 % of 1,000 right"


def test_the_color_of_confusion_is_the_share_of_the_row_without_the_diagonal():
    image = plot.confusion([[90, 10], [1, 999]]).images[0]
    np.testing.assert_allclose(image.get_array().filled(-1), [[-1, 10], [0.1, -1]])
    assert image.get_clim() == (0, 10)


def test_numbers_are_white_on_dark_cells_and_black_on_bright_ones():
    ax = plot.confusion([[5, 50, 1], [0, 5, 0], [0, 0, 5]])
    ink = {text.get_position(): to_hex(text.get_color()) for text in ax.texts}
    assert ink[1, 0] == "#ffffff"
    assert ink[2, 0] == ink[0, 0] == "#000000"


def test_a_perfect_and_a_large_confusion_matrix_can_be_drawn(tmp_path):
    plot.save(tmp_path / "perfect.png", plot.confusion(np.diag([3, 0, 4])))
    assert len(plot.confusion(np.eye(31, dtype=int)).texts) == 31 * 31


def test_the_ticks_of_a_mosaic_stand_in_the_middle_of_its_tiles():
    tiles = np.arange(5.0)[:, None, None] * np.ones((5, 4, 7))  # the number of each, everywhere
    ax = mosaic(tiles, None, columns=3)
    sheet = ax.images[0].get_array()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0 +", "3 +"]
    for row, first in zip(ax.get_yticks(), [0, 3], strict=True):
        for column, x in enumerate(ax.get_xticks()):
            # A tile is 4 high and 7 wide: its middle lies between rows 1 and 2, on column 3.
            tile = sheet[int(row - 1.5) : int(row + 1.5) + 1, int(x) - 3 : int(x) + 4]
            assert tile.shape == (4, 7)
            if first + column < 5:
                assert (tile == first + column).all()


def test_reliability_draws_the_bins_of_calibration_and_the_error():
    ax = plot.reliability(PROBABILITIES, ACTUAL, bins=5)
    accuracy, gap = ax.containers
    # (0.4, 0.6]: one, wrong, sure by 0.6. (0.6, 0.8]: one, wrong, 0.8. (0.8, 1]: two, right, 0.95.
    assert [bar.get_x() + bar.get_width() / 2 for bar in accuracy] == pytest.approx([50, 70, 90])
    assert [bar.get_height() for bar in accuracy] == [0, 0, 100]
    assert [bar.get_height() for bar in gap] == pytest.approx([60, 80, -5])
    assert [text.get_text() for text in ax.texts] == ["1", "1", "2"]
    error = metrics.expected_calibration_error(PROBABILITIES, ACTUAL, bins=5)
    assert ax.get_title() == f"Reliability: calibration error (ECE) {100 * error:.2f} %"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("confidence (%)", "accuracy (%)")
    (diagonal,) = ax.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [100, 100]]


def test_decision_boundary_asks_in_the_dtype_of_x_and_covers_it():
    asked = []

    def predict(points):
        asked.append(points)
        return np.stack([0.5 - points[:, 0], points[:, 0] - 0.5], axis=1)

    x = np.array([[0, 0], [1, 2], [1, 0]], np.float32)
    ax = plot.decision_boundary(predict, x, [0, 1, 1], steps=50)
    (points,) = asked
    assert points.dtype == np.float32
    assert points.shape == (2500, 2)
    np.testing.assert_allclose(points.min(axis=0), [-0.1, -0.2], rtol=1e-6)
    np.testing.assert_allclose(points.max(axis=0), [1.1, 2.2], rtol=1e-6)
    region = ax.images[0].get_array().reshape(50, 50)
    np.testing.assert_array_equal(region, (points[:, 0] > 0.5).reshape(50, 50))
    assert ax.images[0].get_extent() == pytest.approx([-0.1, 1.1, -0.2, 2.2])


def test_decision_boundary_draws_the_points_of_each_class_in_its_color():
    x = np.array([[0, 0], [1, 2], [1, 0]])
    ax = plot.decision_boundary(lambda points: np.zeros(len(points), int), x, [0, 2, 2])
    points = {c.get_label(): c for c in ax.collections if c.get_label().startswith("class")}
    assert labels(ax) == ["class 0", "class 1", "class 2"]
    np.testing.assert_array_equal(points["class 2"].get_offsets(), [[1, 2], [1, 0]])
    assert same_color(points["class 2"].get_facecolor()[0], plot.COLORS[2])


def test_decision_boundary_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"shape \(2, 2\) to match y, got \(2, 3\)"):
        plot.decision_boundary(lambda points: points, np.zeros((2, 3)), [0, 1])


# ---- filters, feature_maps, graph ----------------------------------------------------------------


def test_filters_stand_side_by_side_on_a_scale_symmetric_about_zero():
    weight = -np.arange(-3, 17, dtype=np.float32).reshape(5, 1, 2, 2)  # 3 down to -16
    ax = plot.filters(weight)
    sheet, white = -ax.images[0].get_array().data, np.nan
    # 5 filters of 2x2 in 2 rows of 3, a line of nothing between.
    np.testing.assert_array_equal(sheet[0], [-3, -2, white, 1, 2, white, 5, 6])
    np.testing.assert_array_equal(sheet[3], [9, 10, white, 13, 14, white, white, white])
    assert np.isnan(sheet[2]).all()
    assert ax.images[0].get_clim() == (-16, 16)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0 +", "3 +"]
    assert ax.get_title() == "5 filters of 2x2"


def test_filters_of_several_channels_have_a_row_each():
    weight = np.arange(12.0).reshape(3, 4, 1, 1)
    ax = plot.filters(weight)
    np.testing.assert_array_equal(ax.images[0].get_array().data[::2, ::2], weight[:, :, 0, 0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input channel", "filter")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "1", "2"]


def test_feature_maps_share_a_scale():
    ax = plot.feature_maps(np.arange(8.0).reshape(2, 2, 2))
    np.testing.assert_array_equal(
        ax.images[0].get_array().data, [[0, 1, np.nan, 4, 5], [2, 3, np.nan, 6, 7]]
    )
    assert ax.images[0].get_clim() == (0, 7)
    assert ax.get_title() == "2 feature maps of 2x2"


def test_filters_and_feature_maps_refuse_other_shapes():
    with pytest.raises(ValueError, match=r"\(F, C, KH, KW\), got \(5, 5\)"):
        plot.filters(np.zeros((5, 5)))
    with pytest.raises(ValueError, match=r"maps\[0\]"):
        plot.feature_maps(np.zeros((1, 3, 5, 5)))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a script with a #! line")
def test_graph_takes_what_mg_graph_gives(tmp_path, monkeypatch):
    picture = plot.save(tmp_path / "answer.png", Figure(figsize=(3, 2)), dpi=100)
    stand_in(
        tmp_path,
        monkeypatch,
        "import sys; from pathlib import Path\n"
        f"Path({str(tmp_path / 'heard')!r}).write_bytes(sys.stdin.buffer.read())\n"
        f"sys.stdout.buffer.write(Path({str(picture)!r}).read_bytes())\n",
    )
    x = mg.Tensor(3.0, requires_grad=True, name="x")
    drawing = mg.graph(x * 2)
    assert isinstance(plot.graph(drawing), Figure)
    assert (tmp_path / "heard").read_text() == drawing.dot()


def test_graph_of_a_tensor_says_how_to_make_its_graph():
    with pytest.raises(TypeError, match=r"got Tensor: mg.graph\(tensor\) makes"):
        plot.graph(mg.Tensor(3.0))


def test_graph_without_graphviz_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="apt install graphviz"):
        plot.graph("digraph { a -> b }")


def stand_in(folder, monkeypatch, code):
    """Put a program named dot, which runs this Python, in front of the PATH."""
    program = folder / "dot"
    # By way of a shell: a line of #! ends at the first space of the path.
    program.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a script with a #! line")
def test_graph_hands_the_text_to_dot_and_shows_its_picture(tmp_path, monkeypatch):
    picture = plot.save(tmp_path / "answer.png", Figure(figsize=(3, 2)), dpi=100)
    stand_in(
        tmp_path,
        monkeypatch,
        "import sys; from pathlib import Path\n"
        f"Path({str(tmp_path / 'heard')!r}).write_bytes(sys.stdin.buffer.read())\n"
        f"sys.stdout.buffer.write(Path({str(picture)!r}).read_bytes())\n",
    )
    figure = plot.graph("digraph { a -> b }", dpi=50)
    assert (tmp_path / "heard").read_text() == "digraph { a -> b }"
    assert figure.axes[0].images[0].get_array().shape[:2] == (200, 300)
    assert figure.get_size_inches().tolist() == [6, 4]
    plot.save(tmp_path / "graph.png", figure)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a script with a #! line")
def test_graph_repeats_what_dot_complains_of(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, "import sys; sys.exit('syntax error in line 1')")
    with pytest.raises(ValueError, match="syntax error in line 1"):
        plot.graph("no graph")


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_graph_by_graphviz_itself(tmp_path):
    wide = plot.graph("digraph { rankdir=LR; a -> b -> c }").get_size_inches()
    assert wide[0] > wide[1]
    with pytest.raises(ValueError, match="syntax error"):
        plot.graph("digraph {")


# ---- save, and what holds for every picture ------------------------------------------------------


def test_save_makes_the_folder_takes_axes_and_gives_the_path_back(tmp_path):
    path = plot.save(str(tmp_path / "runs" / "a" / "c.png"), plot.confusion([[1, 0], [0, 1]]))
    assert path == tmp_path / "runs" / "a" / "c.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert os.listdir(path.parent) == ["c.png"]


@pytest.mark.parametrize(
    ("name", "start"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a", b"\x89PNG")]
)
def test_the_ending_names_the_format(tmp_path, name, start):
    path = plot.save(tmp_path / name, Figure())
    assert path.read_bytes().startswith(start)
    assert path.suffix


def test_a_history_of_numbers_under_unknown_keys_says_what_it_expects():
    with pytest.raises(ValueError, match="history expects lists"):
        plot.history({"val_loss": [1]})


def test_save_gives_back_the_path_that_a_tilde_stands_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert plot.save("~/a", Figure()) == tmp_path / "a.png"
    assert (tmp_path / "a.png").exists()


def test_save_of_axes_in_a_subfigure_saves_the_whole_figure(tmp_path):
    figure = Figure(figsize=(16, 4), layout="constrained")
    plot.history(RUN, figure=figure.subfigures(1, 2)[0])
    assert plot.save(tmp_path / "a.png", figure.subfigs[0].axes[0]).exists()


@pytest.mark.parametrize("picture", ["figure", "axes"])
def test_save_in_the_order_of_old_says_the_new_one_and_writes_nothing(picture, tmp_path):
    picture = Figure() if picture == "figure" else Figure().add_subplot()
    with pytest.raises(TypeError, match=r"plot.save\(path, picture\), got "):
        plot.save(picture, tmp_path / "a.png")
    with pytest.raises(TypeError, match=r"got \w*Path and dict"):
        plot.save(tmp_path / "a.png", {"loss": [1.0]})
    assert os.listdir(tmp_path) == []


def test_a_save_that_fails_leaves_the_old_picture_and_nothing_else(tmp_path, monkeypatch):
    path = plot.save(tmp_path / "a.png", Figure())
    before = path.read_bytes()

    def torn(self, target, **options):
        target.write(b"half a pict")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", torn)
    with pytest.raises(OSError, match="disk full"):
        plot.save(path, Figure())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


def test_an_unknown_format_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="xyz"):
        plot.save(tmp_path / "a.xyz", Figure())
    assert os.listdir(tmp_path) == []


def test_every_picture_has_a_title_and_can_be_saved(tmp_path):
    for name, picture in every_picture().items():
        axes = picture.axes if isinstance(picture, Figure) else [picture]
        assert all(ax.get_title() for ax in axes)
        assert plot.save(tmp_path / name, picture).stat().st_size > 2000


def test_every_picture_shows_itself_at_the_end_of_a_cell():
    pictures = {**every_picture(), "own": plot.new_axes(3, 2), "figure": plot.new_figure(3, 2)}
    for name, picture in pictures.items():
        shown = imread(BytesIO(picture._repr_png_()))  # as a notebook asks for it
        width, height = picture.figure.get_size_inches() * picture.figure.dpi
        assert shown.shape[:2] == pytest.approx((height, width), abs=1), name
        drawn = (shown[:, :, :3] < 0.9).any()
        assert drawn == (name != "figure"), name


def test_new_axes_fill_a_new_figure_of_the_size_asked_for():
    ax = plot.new_axes(3, 2)
    assert ax.figure.axes == [ax]
    assert ax.figure.get_size_inches().tolist() == [3, 2]
    assert plot.new_figure(4, 1).get_size_inches().tolist() == [4, 1]


def test_no_picture_touches_pyplot_or_the_settings_and_all_are_freed():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = dict(rcParams)
    figures = [weakref.ref(picture.figure) for picture in every_picture().values()]
    assert pyplot.get_fignums() == []
    assert dict(rcParams) == before
    gc.collect()
    assert [figure() for figure in figures] == [None] * len(figures)


def test_pictures_go_into_the_axes_or_figure_they_are_given():
    figure = Figure()
    assert plot.history(RUN, figure=figure) is figure
    assert plot.predictions(IMAGES, PROBABILITIES, ACTUAL, figure=(other := Figure())) is other
    assert plot.mistakes(IMAGES, PROBABILITIES, ACTUAL, figure=(other := Figure())) is other
    for draw, *arguments in [
        (plot.confusion, [[1, 0], [0, 1]]),
        (plot.reliability, PROBABILITIES, ACTUAL),
        (plot.decision_boundary, lambda points: points, np.eye(2), [0, 1]),
        (plot.images, np.ones((2, 3, 3))),
        (plot.filters, np.ones((2, 1, 3, 3))),
        (plot.feature_maps, np.ones((2, 3, 3))),
    ]:
        ax = Figure().add_subplot()
        assert draw(*arguments, ax=ax) is ax
        assert ax.has_data()


def test_importing_plot_does_not_import_matplotlib():
    code = "import sys, minigrad.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_matplotlib_says_what_is_lost_and_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'minigrad-numpy\[examples\]'"):
        plot.history(RUN)


def test_lr_range_draws_the_losses_over_a_logarithmic_axis():
    rates, losses = np.geomspace(1e-4, 1, 5), np.array([2.3, 2.0, 1.5, 1.9, 50.0])
    ax = plot.lr_range(rates, losses)
    (line,) = ax.lines
    assert ax.get_xscale() == "log"
    assert np.allclose(line.get_xdata(), rates)
    assert np.allclose(line.get_ydata(), losses)
    assert ax.get_ylim()[1] == pytest.approx(4.6)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "loss of the batch")


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 8, 8, 1), (1, 8)])
def test_images_that_are_not_gray_are_refused(shape):
    with pytest.raises(ValueError, match=r"Images must have shape \(N, H, W\) or \(N, 1, H, W\)"):
        plot.images(np.zeros(shape))


def test_images_of_height_1_are_images():
    assert plot.images(np.zeros((3, 1, 8))).get_title() == "3 images"
