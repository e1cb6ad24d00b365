"""mg.debug(): it blames the operation at fault, guards the graph, and leaves no trace."""

import contextvars
import gc
import linecache
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.autograd import gradients, primitive, watching


def leaf(*values):
    return mg.Tensor(np.array(values), requires_grad=True)


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def line_of(error, text):
    """The line of this file that an error or its notes names, which must hold `text`."""
    said = "\n".join([str(error), *getattr(error, "__notes__", [])])
    assert f"called at {__file__}:" in said
    number = int(said.partition(f"{__file__}:")[2].split(":")[0].split("\n")[0])
    assert text in linecache.getline(__file__, number)
    return said


# ---- NaN and infinity ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "made"),
    [
        (lambda x: mg.log(x), "log made nan at index (1,) (1 of 2 elements)"),
        (lambda x: mg.sqrt(x * 2.0), "sqrt made nan at index (1,) (1 of 2 elements)"),
        (lambda x: x / (x - x), "divide made inf at index (0,) (2 of 2 elements)"),
        (lambda x: mg.exp(x * -1e4), "exp made inf at index (1,) (1 of 2 elements)"),
        (lambda x: x**0.5, "power made nan at index (1,) (1 of 2 elements)"),
    ],
)
def test_the_operation_that_made_it_is_named_with_its_index_and_line(f, made):
    with mg.debug(), pytest.raises(FloatingPointError) as caught:
        f(leaf(1.0, -1.0))
    said = line_of(caught.value, "lambda x:")
    assert said.startswith(f"{made} of finite inputs, called at ")


def test_a_nan_that_came_in_is_not_blamed_on_those_it_goes_through():
    with mg.debug():
        x = leaf(1.0, np.nan)
        y = mg.exp(x) * 2.0 + mg.log(x)
        y.sum().backward()
    assert np.isnan(x.grad[1])


def test_an_infinity_that_came_in_is_not_blamed_but_a_nan_made_of_it_is():
    with mg.debug():
        x = leaf(1.0, np.inf)
        y = x + 1.0
        made = "subtract made nan at index .1,. .1 of 2 elements. of inputs without a NaN"
        with pytest.raises(FloatingPointError, match=made):
            y - y


def test_an_infinity_given_as_an_option_is_meant():
    with mg.debug():
        mg.max_pool2d(mg.Tensor(-np.ones((1, 1, 4, 4))), 3, 2, 1)  # its border is -inf
        y = mg.where(np.array([True, False]), leaf(1.0, 2.0), -np.inf)
        assert y.data[1] == -np.inf


def test_the_gradient_that_made_it_is_named_with_the_line_of_its_operation():
    x = leaf(0.0, 4.0)
    with mg.debug():
        y = mg.sqrt(x)  # finite; its slope at 0 is not
        with pytest.raises(FloatingPointError) as caught:
            y.sum().backward()
    said = line_of(caught.value, "y = mg.sqrt(x)")
    assert said.startswith("the gradient of sqrt by argument 0 made inf at index (0,) (1 of 2")


def test_a_gradient_that_was_given_as_nan_is_not_blamed():
    x = leaf(1.0, 2.0)
    with mg.debug():
        (x * 2).backward(np.array([np.nan, 1.0]))
    assert np.isnan(x.grad[0])


def test_a_nan_in_the_gradient_of_a_gradient():
    with mg.debug():
        x = leaf(0.0)
        (g,) = gradients((mg.absolute(x) ** 1.5).sum(), [x], create_graph=True)
        with pytest.raises(FloatingPointError, match="power"):
            gradients(g.sum(), [x])


def test_a_nan_deep_in_a_model_is_found_at_the_line_of_the_model():
    class Net(nn.Module):
        def __init__(self):
            self.dense = nn.Dense(2, 2)

        def forward(self, x):
            h = self.dense(x)
            return mg.log(h - h - 1.0)  # the culprit

    found = pytest.raises(FloatingPointError, match="log made nan")
    with mg.debug(), found as caught:
        Net()(np.ones((1, 2)))
    line_of(caught.value, "# the culprit")


def test_it_looks_under_no_grad_too():
    with mg.debug(), mg.no_grad(), pytest.raises(FloatingPointError, match="log"):
        mg.log(mg.Tensor([-1.0]))


def test_integers_and_options_that_are_no_numbers_do_no_harm():
    with mg.debug():
        x = mg.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
        y = x[np.array([0, 1]), np.array([1, 2])].sum() + mg.sum(x[:, ::2])
        y = y + mg.clip(x, None, 2.0).sum() + mg.einsum("ij->", x)
        y.backward()
    assert np.isfinite(x.grad).all()


# ---- errors in backward --------------------------------------------------------------------------


def test_an_error_in_backward_names_the_line_that_called_the_operation():
    bad = primitive(np.exp, lambda g, y, x: np.ones(7), name="bad")
    x = leaf(1.0, 2.0)
    with mg.debug():
        y = bad(x) * 2.0  # the call
    with pytest.raises(ValueError, match="cannot broadcast") as caught:
        y.sum().backward()
    assert "in the gradient of bad by argument 0, called at" in line_of(caught.value, "# the call")


def test_without_debug_the_operation_alone_is_named():
    bad = primitive(np.exp, lambda g, y, x: np.ones(7), name="bad")
    with pytest.raises(ValueError, match="cannot broadcast") as caught:
        bad(leaf(1.0, 2.0)).sum().backward()
    assert caught.value.__notes__ == ["in the gradient of bad by argument 0"]


# ---- arrays of the graph are read-only -----------------------------------------------------------


def test_what_backward_needs_is_read_only_until_it_is_done():
    x = leaf(1.0, 2.0)
    c = np.array([3.0, 4.0])
    with mg.debug():
        y = mg.exp(x * c)
        for array in (x.data, c, y.data):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5.0
        y.sum().backward()
        for array in (x.data, c, y.data, x.grad):
            array[0] = 5.0


def test_leaving_makes_writable_what_is_left():
    x = leaf(1.0, 2.0)
    with mg.debug():
        y = mg.exp(x.reshape(2, 1)) + x
        z = y.T
    for array in (x.data, y.data, z.data):
        array[...] = 5.0


def test_leaving_by_an_error_makes_writable_what_is_left():
    x = leaf(1.0, 2.0)

    def fail(y):
        with mg.debug():
            y.append(mg.exp(x))
            y.pop(7)

    kept = []
    with pytest.raises(IndexError):
        fail(kept)
    x.data[0] = kept[0].data[0] = 1.0


def test_a_graph_that_is_dropped_lets_its_arrays_go():
    x = leaf(1.0, 2.0)
    with mg.debug():
        y = mg.exp(x)
        del y
        x.data[0] = 5.0


def test_an_array_of_two_graphs_is_let_go_by_the_last():
    x = leaf(1.0, 2.0)
    with mg.debug():
        first, second = (x * 2).sum(), (x * 3).sum()
        first.backward()
        assert not x.data.flags.writeable
        second.backward()
        assert x.data.flags.writeable


def test_what_was_read_only_stays_so():
    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    with mg.debug():
        (mg.Tensor(x, requires_grad=True) * 2).sum().backward()
    assert not x.flags.writeable


def test_nothing_is_locked_where_nothing_is_recorded():
    x = leaf(1.0, 2.0)
    with mg.debug(), mg.no_grad():
        y = mg.exp(x)
        x.data[0] = y.data[0] = 5.0


# ---- training, threads, nesting, leaving no trace ------------------------------------------------


def train(steps):
    mg.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2D(1, 3, 3, padding=1), nn.BatchNorm(3), nn.ReLU(), nn.MaxPool(3, 2, 1)
    )
    head = nn.Sequential(nn.Flatten(), nn.Dropout(0.25), nn.Dense(48, 4))
    optimizer = optim.Adam(model.parameters() + head.parameters())
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 1, 8, 8)).astype(np.float32)
    y = np.arange(5) % 4
    for _ in range(steps):
        optimizer.zero_grad()
        loss = mg.cross_entropy(head(model(x)), y)
        loss.backward()
        optimizer.step()
    return [p.data for p in model.parameters() + head.parameters()]


def test_training_inside_gives_the_same_bits():
    with mg.debug():
        inside = train(3)
    for a, b in zip(inside, train(3), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.flags.writeable


def test_it_reaches_a_thread_that_runs_in_a_copied_context():
    caught = []

    def work():
        try:
            with np.errstate(all="ignore"):
                mg.log(leaf(-1.0))
        except FloatingPointError as error:
            caught.append(error)

    with mg.debug():
        context = contextvars.copy_context()
        for target, args in ((context.run, (work,)), (work, ())):
            thread = threading.Thread(target=target, args=args)
            thread.start()
            thread.join()
    assert len(caught) == 1  # that in the copied context; a plain thread starts anew


def test_threads_share_the_locks():
    w = mg.Tensor(np.ones((8, 8)), requires_grad=True)
    x = np.random.default_rng(0).normal(size=(4, 8))

    def work():
        for _ in range(50):
            gradients(mg.tanh(x @ w).sum(), [w])

    with mg.debug():
        contexts = [contextvars.copy_context() for _ in range(4)]
        threads = [threading.Thread(target=c.run, args=(work,)) for c in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        w.data[0, 0] = x[0, 0] = 2.0  # all is let go


def test_nested_it_is_one():
    x = leaf(1.0, 2.0)
    with mg.debug():
        with mg.debug():
            y = mg.exp(x)
        assert not y.data.flags.writeable
        with pytest.raises(FloatingPointError):
            mg.log(leaf(-1.0))
    assert x.data.flags.writeable


def test_as_a_decorator():
    @mg.debug()
    def f(x):
        return mg.log(x)

    for _ in range(2):
        with pytest.raises(FloatingPointError):
            f(leaf(-1.0))
    assert np.isnan(mg.log(leaf(-1.0)).data[0])


def test_outside_nothing_watches():
    assert watching.get() is None
    with mg.debug():
        assert watching.get() is not None
    assert watching.get() is None
    node = (leaf(1.0) * 2).node
    assert type(node) is tuple


def test_100_000_operations_inside_are_freed():
    with mg.debug():
        x = leaf(1.0)
        t = x
        for _ in range(100_000):
            t = t + 1e-5
        assert not x.data.flags.writeable
        del t
        assert x.data.flags.writeable  # the first node, freed last, has let it go


def test_reference_counting_alone_frees_its_graphs():
    gc.collect()
    gc.disable()
    try:
        with mg.debug():
            x = leaf(1.0)
            (mg.exp(x) * x).sum().backward()
            y = mg.exp(x)
        del y
        assert gc.collect() == 0
    finally:
        gc.enable()
