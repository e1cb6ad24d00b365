"""The clinic: each patient shows its disease and no other, is named, answered, and mended."""

import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import check  # noqa: E402
from exercises import clinic, diagnosis, zoo  # noqa: E402

import minigrad as mg  # noqa: E402

WARD = range(1, 12)
NUMBER = {zoo.chart(number): number for number in WARD}  # by disease
CURES = {
    "data sorted": ["order=shuffled"],
    "dropout in evaluation": ["evaluation=without dropout"],
    "gradients not cleared": ["clear=yes"],
    "labels shuffled": ["labels=with their images"],
    "pixels not normalized": ["pixels=normalized"],
    "rate too large": ["lr=0.05"],
    "rate too small": ["lr=0.1"],
    "softmax over the batch": ["softmax=once"],
    "softmax twice": ["softmax=once"],
    "too many sigmoids": ["activation=relu"],
    "zero weights": ["weights=random"],
}

each_patient = pytest.mark.parametrize("number", WARD)
each_name = pytest.mark.parametrize("name", diagnosis.NAMES)


@pytest.fixture(autouse=True)
def synthetic():
    """The clinic on synthetic digits, whatever is found on this machine."""
    zoo.use("synthetic")
    yield
    zoo.use(None)


@pytest.fixture
def no_digits_yet():
    """The clinic before it has looked for digits."""
    zoo.use(None)
    zoo._digits.cache_clear()
    yield
    zoo._digits.cache_clear()


@cache
def course(name):
    """How the patient with a disease trains, on synthetic digits."""
    return clinic.trained(NUMBER[name])


def measured(name):
    return diagnosis.measured(NUMBER[name])


# ---- the ward ------------------------------------------------------------------------------------


def test_ten_patients_and_one_in_reserve_have_eleven_diseases():
    assert sorted(NUMBER) == diagnosis.NAMES == sorted(CURES)
    assert zoo.chart(0) == "nothing"
    assert zoo.chart(11) == zoo.RESERVE


def test_the_numbers_are_not_the_order_of_the_names():
    assert [zoo.chart(number) for number in range(1, 11)] != sorted(NUMBER.keys() - {zoo.RESERVE})


@each_patient
def test_a_patient_does_not_tell_its_disease_by_itself(number):
    assert not any(name in repr(zoo.patient(number)) for name in diagnosis.NAMES)
    attributes = [name for name in vars(zoo.patient(number)) if not name.startswith("_")]
    assert sorted(attributes) == ["loader", "model", "number", "validation"]


def test_each_differs_from_the_healthy_in_its_disease_alone():
    for number in WARD:
        settings = zoo.HEALTHY | zoo.DISEASES[zoo.chart(number)]
        assert zoo.patient(number)._settings == settings


def test_mnist_is_taken_where_it_is_found_and_nothing_is_downloaded(no_digits_yet, monkeypatch):
    def found(download=True):
        assert not download
        return mg.data.synthetic_digits(7_000), None

    monkeypatch.setattr(mg.data, "load_mnist", found)
    assert zoo.digits().source == "6,000 digits of MNIST"
    assert repr(zoo.patient(3)) == "<patient 3, 6,000 digits of MNIST>"
    assert [len(zoo.digits().train[0]), len(zoo.digits().validation[0])] == [6_000, 700]


def test_synthetic_digits_are_taken_where_mnist_is_not_found(no_digits_yet, monkeypatch):
    def missing(download=True):
        assert not download
        raise mg.data.DataUnavailable("not here")

    monkeypatch.setattr(mg.data, "load_mnist", missing)
    assert zoo.digits().source == "800 synthetic digits"


def test_settings_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="no setting 'rate'"):
        zoo.patient(1, rate=0.1)
    with pytest.raises(ValueError, match="softmax is one of 'once', 'twice'"):
        zoo.patient(1, softmax="never")
    with pytest.raises(ValueError, match="no patient 12"):
        zoo.patient(12)
    with pytest.raises(ValueError, match="use expects"):
        zoo.use("fashion")


# ---- symptoms ------------------------------------------------------------------------------------


def test_the_healthy_one_learns():
    healthy, m = clinic.trained(0), diagnosis.measured(0)
    assert healthy.losses[-1] < 0.2
    assert healthy.accuracies[-1] > 0.7
    assert abs(m.first - np.log(10)) < 0.2
    assert m.twenty < 0.01
    assert 3e-3 < m.ratio < 0.1
    assert 0.1 < m.steepness < 10
    assert m.again == m.same == 1


@each_patient
def test_the_sick_do_not_learn_as_the_healthy_one_does(number):
    assert not clinic.learns(clinic.trained(number))
    assert clinic.learns(clinic.trained(0))


def test_zeros_are_flat_and_have_no_gradient():
    assert all(abs(loss - np.log(10)) < 0.01 for loss in course("zero weights").losses)
    assert measured("zero weights").norms == [0, 0]


def test_pixels_make_a_first_loss_far_too_high_and_then_silence():
    found = course("pixels not normalized")
    assert found.first > 20
    assert found.losses[0] > 1000
    assert abs(found.losses[-1] - np.log(10)) < 0.1


def test_a_large_rate_leaps_and_leaves_silent_units():
    assert course("rate too large").first < 2.5
    assert course("rate too large").losses[0] > 10
    patient = zoo.patient(NUMBER["rate too large"])
    patient.train(1)
    hidden = mg.relu(patient.model[0](patient.loader.x)).data
    assert (hidden.max(axis=0) == 0).mean() > 0.8


def test_a_small_rate_goes_down_slowly():
    losses = course("rate too small").losses
    assert all(after < before for before, after in pairwise(losses))
    assert losses[0] - losses[-1] < 0.1
    assert measured("rate too small").ratio < 1e-4


def test_uncleared_gradients_double():
    assert measured("gradients not cleared").again == 2
    assert course("gradients not cleared").losses[3] > 5


def test_softmax_twice_has_its_floor():
    floor = np.log(1 + 9 / np.e)
    assert abs(floor - 1.4612) < 1e-4
    assert floor - 1e-6 <= measured("softmax twice").twenty < floor + 0.01
    assert min(course("softmax twice").losses) > floor


def test_softmax_over_the_batch_begins_at_the_logarithm_of_its_size():
    patient = zoo.patient(NUMBER["softmax over the batch"])
    x, y = patient.loader.x, patient.loader.y
    for size in 16, 64:
        assert abs(patient.loss(x[:size], y[:size]).item() - np.log(size)) < 0.2


def test_labels_apart_are_learned_by_heart_and_help_nobody():
    assert measured("labels shuffled").twenty < 0.01
    assert course("labels shuffled").accuracies[-1] < 0.2


def test_sorted_data_look_well_in_training_alone():
    found = course("data sorted")
    assert found.losses[-1] < 1
    assert found.validation_losses[-1] > 3


def test_sigmoids_let_the_gradient_vanish():
    assert measured("too many sigmoids").steepness > 300
    assert min(course("too many sigmoids").losses) > 2.2


def test_dropout_in_evaluation_changes_its_answers():
    assert measured("dropout in evaluation").same < 0.9


# ---- names ---------------------------------------------------------------------------------------


@each_patient
def test_its_own_name_is_accepted_and_every_other_gets_a_hint(number):
    for name in diagnosis.NAMES:
        lines, right = clinic.visit(number, name=name)
        assert right == (name == zoo.chart(number))
        if not right:
            against = diagnosis.contradiction(number, name)
            assert lines == [f"patient {number}: not {name}", f"  hint: {against}"]
            assert against
            assert zoo.chart(number) not in lines[1]
        assert all(len(line) <= 110 for line in lines)
    assert diagnosis.contradiction(number, zoo.chart(number)) is None


def test_on_mnist_too_each_shows_its_disease_and_no_other():
    zoo.use("mnist")
    try:
        zoo.digits()
    except mg.data.DataUnavailable:
        pytest.skip("MNIST is not on this machine")
    for number in WARD:
        fitting = [n for n in diagnosis.NAMES if diagnosis.contradiction(number, n) is None]
        assert fitting == [zoo.chart(number)]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Learning rate too large", "rate too large"),
        ("lr too high", "rate too large"),
        ("the steps are too big", "rate too large"),
        ("learning rate is too low", "rate too small"),
        ("small lr", "rate too small"),
        ("no zero_grad", "gradients not cleared"),
        ("zero grad forgotten", "gradients not cleared"),
        ("missing zero_grad()", "gradients not cleared"),
        ("gradients accumulate", "gradients not cleared"),
        ("gradients were never zeroed", "gradients not cleared"),
        ("weights are all zero", "zero weights"),
        ("Zero initialization", "zero weights"),
        ("weights initialized to 0", "zero weights"),
        ("double softmax", "softmax twice"),
        ("softmax applied twice", "softmax twice"),
        ("softmax over the wrong axis", "softmax over the batch"),
        ("pixels 0-255", "pixels not normalized"),
        ("not normalised", "pixels not normalized"),
        ("inputs too large", "pixels not normalized"),
        ("shuffled labels", "labels shuffled"),
        ("labels shuffled apart", "labels shuffled"),
        ("wrong labels", "labels shuffled"),
        ("sorted by class", "data sorted"),
        ("data not shuffled", "data sorted"),
        ("sorted by label", "data sorted"),
        ("vanishing gradients", "too many sigmoids"),
        ("five sigmoid layers", "too many sigmoids"),
        ("dropout left on in evaluation", "dropout in evaluation"),
    ],
)
def test_sensible_words_are_understood(words, name):
    assert diagnosis.named(words) == name


@each_name
def test_the_names_themselves_are_understood(name):
    assert diagnosis.named(name) == diagnosis.named(name.upper()) == name


@pytest.mark.parametrize("words", ["", "it is sick", "softmax", "rate", "loss too large", None, 3])
def test_words_that_name_nothing_get_the_list(words):
    with pytest.raises(ValueError, match=r"names no disease|a name is text"):
        diagnosis.named(words)
    lines, right = clinic.visit(1, name=words or "")
    assert not right
    assert "softmax twice" in "\n".join(lines)


# ---- mending -------------------------------------------------------------------------------------


@each_patient
def test_the_cure_makes_it_learn(number):
    lines, right = clinic.visit(number, mend=CURES[zoo.chart(number)])
    assert right, lines
    assert lines[-1] == "  it learns"


@pytest.mark.parametrize("number", [1, 4])
def test_what_is_no_cure_is_told_so(number):
    lines, right = clinic.visit(number, mend=["lr=0.09"])
    assert not right
    assert "still sick" in lines[-1]
    assert len(lines) == 6


@pytest.mark.parametrize(
    "changes",
    [["lr"], ["lr=fast"], ["lr=0.1", "layers=2"], ["rate=0.1"], ["softmax=never"], ["clear=1"]],
)
def test_a_mend_that_cannot_be_read_says_what_is_expected(changes):
    lines, right = clinic.visit(1, mend=changes)
    assert not right
    assert len(lines) == 1


# ---- the command line ----------------------------------------------------------------------------


def test_the_command_line_shows_judges_and_keeps_ticks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    number = NUMBER["rate too small"]
    assert check.main(["zoo", str(number)])
    shown = capsys.readouterr().out
    assert "800 synthetic digits" in shown
    assert "first loss 2.346" in shown
    assert all(len(line) <= 110 for line in shown.splitlines())
    assert not check.main(["zoo", str(number), "--name", "zero weights"])
    assert "hint: look at the weights" in capsys.readouterr().out
    assert "0 of 10 named, 0 of 10 mended" in check.overview()
    assert check.main(["zoo", str(number), "--name", "lr too small"])
    assert check.main(["zoo", str(number), "--mend", "lr=0.1"])
    assert "1 of 10 named, 1 of 10 mended" in check.overview()


@pytest.mark.parametrize("words", [["zoo"], ["zoo", "12"], ["zoo", "four"], ["zoo", "1", "2"]])
def test_a_number_is_asked_for(words, capsys):
    with pytest.raises(SystemExit):
        check.main(words)
    assert "zoo expects a number" in capsys.readouterr().err
