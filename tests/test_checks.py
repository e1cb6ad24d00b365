"""Mistakes in what training is given: each is named, with the way out, before anything changes."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim


def points(n=8):
    return np.ones((n, 2), np.float32), np.zeros(n, int)


def train(model, **options):
    optimizer = options.pop("optimizer", None) or optim.SGD(model.parameters(), lr=0.1)
    data = options.pop("data", None) or points()
    return mg.fit(model, data, optimizer=optimizer, epochs=2, progress=False, **options)


# ---- callbacks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("callbacks", "match"),
    [
        (mg.EarlyStopping(), r"got one callback: .*callbacks=\[EarlyStopping\(\.\.\.\)\]"),
        (mg.EarlyStopping, "got <class.*make an instance"),
        ([mg.EarlyStopping], "got <class.*among them: call a class"),
        ([print], "instances of mg.Callback, got <built-in function print>"),
        (None, "got None"),
    ],
)
def test_callbacks_that_are_none_are_named(callbacks, match):
    with pytest.raises(TypeError, match=match):
        train(nn.Dense(2, 2), callbacks=callbacks)


@pytest.mark.parametrize("callbacks", [(mg.Callback(),), iter([mg.Callback()])])
def test_callbacks_may_come_in_any_sequence(callbacks):
    assert len(train(nn.Dense(2, 2), callbacks=callbacks)["loss"]) == 2


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
@pytest.mark.parametrize("make", [mg.EarlyStopping, lambda **o: mg.SaveBest("best.npz", **o)])
def test_monitoring_a_validation_that_is_not_there_is_refused_before_the_first_epoch(make, monitor):
    model = nn.Dense(2, 2)
    before = model.weight.data.copy()
    with pytest.raises(ValueError, match=f"monitor='{monitor}' expects validation data, got none"):
        train(model, callbacks=[make(monitor=monitor)])
    assert (model.weight.data == before).all()


# ---- optimizers ----------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self):
        self.dense = nn.Dense(2, 2)

    def forward(self, x):
        return self.dense(x)


@pytest.mark.parametrize("model", [Net(), nn.Sequential(nn.Dense(2, 2))])
def test_an_optimizer_of_a_model_names_its_parameters(model):
    with pytest.raises(TypeError, match=rf"model {type(model).__name__}: pass model\.parameters"):
        optim.Adam(model)


@pytest.mark.parametrize("single", [nn.Parameter([1.0, 2.0]), {"params": [nn.Parameter([1.0])]}])
def test_an_optimizer_of_a_single_thing_wants_a_list(single):
    with pytest.raises(TypeError, match=f"a single {type(single).__name__}: put it into a list"):
        optim.Adam(single)


@pytest.mark.parametrize("optimizer", [optim.Adam, "adam"])
def test_an_optimizer_that_is_none_is_named(optimizer):
    with pytest.raises(TypeError, match=r"mg\.optim\.Adam\(model\.parameters\(\)\), got"):
        train(Net(), optimizer=optimizer)


def test_an_optimizer_of_another_model_or_of_a_layer_that_was_replaced_is_refused():
    model = Net()
    optimizer = optim.Adam(model.parameters())
    with pytest.raises(ValueError, match=r"not the model's, and lacks 2 .*make it anew"):
        train(Net(), optimizer=optimizer)
    model.dense = nn.Dense(2, 2)
    with pytest.raises(ValueError, match="or a layer of it, is replaced"):
        mg.lr_range_test(model, points(), optimizer=optimizer)


def test_an_optimizer_of_a_layer_that_was_replaced_beside_one_that_stays_is_warned_of():
    model = nn.Sequential(nn.Dense(2, 4), nn.Dense(4, 2))
    optimizer = optim.Adam(model.parameters())
    replaced = nn.Sequential(model[0], nn.Dense(4, 2))
    with pytest.warns(UserWarning, match=r"not the model's, and lacks 2 .*make it anew"):
        train(replaced, optimizer=optimizer)


def test_the_parameters_of_a_model_are_called_for():
    with pytest.raises(TypeError, match=r"call it, as model\.parameters\(\)"):
        optim.Adam(Net().parameters)


def test_an_optimizer_of_a_part_of_the_model_or_of_more_than_it_is_no_mistake():
    model = nn.Sequential(nn.Dense(2, 4), nn.Dense(4, 2))
    train(model, optimizer=optim.Adam(model[1].parameters()))

    temperature = nn.Parameter(1.0)
    both = optim.Adam([*model.parameters(), temperature])
    train(model, optimizer=both, loss=lambda scores, y: mg.cross_entropy(scores * temperature, y))
    assert temperature.item() != 1

    class Scaled(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter(1.0)

        def forward(self, scores, y):
            return mg.cross_entropy(scores * self.scale, y)

        def __call__(self, scores, y):
            return self.forward(scores, y)

    loss = Scaled()
    head = [*model[1].parameters(), *loss.parameters()]
    train(model, optimizer=optim.Adam(head), loss=loss)
    assert loss.scale.item() != 1


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_in_the_data_that_are_not_finite_are_named_and_not_the_learning_rate(bad, workers):
    model = nn.Dense(2, 1)
    model.weight.data[...] = 1  # of one sign, so that infinity stays infinity
    x, y = np.ones((8, 2), np.float32), np.zeros((8, 1), np.float32)
    for name, array in (("inputs x", x), ("targets y", y)):
        array[5] = bad
        with pytest.raises(ValueError, match=f"infinity among the {name}") as caught:
            train(model, data=(x, y), loss=mg.mse_loss, workers=workers)
        assert "learning rate" not in str(caught.value)
        array[5] = 0
