"""The checker is checked: each way a rule can be wrong is caught, and named."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import primitive

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3))


def row(rule, function=np.sin, name="suspect"):
    return primitive(function, rule, name=name)


def complaint(f, *inputs, **numbers):
    with pytest.raises(mg.GradientError) as caught:
        mg.gradcheck(f, inputs, **numbers)
    return str(caught.value)


# ---- what is right passes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (mg.tanh, X),
        (mg.multiply, (X, RNG.normal(size=(3,)))),
        (lambda x: mg.softmax(x) * x, X),
        (lambda x: x.sum(), X),
        (mg.exp, 0.5),
        (mg.exp, np.empty((0, 3))),
        (mg.matmul, [X, RNG.normal(size=(3, 4))]),
        (lambda x: mg.grad(lambda y: mg.tanh(y).sum())(x), X),  # second order
        (lambda x: mg.gradients(mg.tanh(x).sum(), [x], create_graph=True)[0], X),
    ],
)
def test_right_rules_pass(f, inputs):
    assert mg.gradcheck(f, inputs) is True


def test_integers_are_passed_on_and_not_checked():
    assert mg.gradcheck(mg.take, (X, np.array([0, 2, 2])))


def test_tensors_and_float32_are_copied_as_float64():
    x = mg.Tensor(X.astype(np.float32), requires_grad=True)
    seen = []

    def f(t):
        seen.append(t.dtype)
        return t * t

    before = x.data.copy()
    assert mg.gradcheck(f, x)
    assert set(seen) == {np.dtype(np.float64)}
    assert x.grad is None
    np.testing.assert_array_equal(x.data, before)


def test_arrays_given_are_not_changed():
    x = X.copy()
    x.flags.writeable = False
    assert mg.gradcheck(mg.tanh, x)
    np.testing.assert_array_equal(x, X)


def test_it_works_inside_no_grad():
    with mg.no_grad():
        assert mg.gradcheck(mg.tanh, X)
        assert "suspect: gradient of argument 0" in complaint(row(lambda g, y, x: g), X)


def test_it_works_inside_debug_and_debug_inside_it():
    wrong = row(lambda g, y, x: g)

    def f(x):
        with mg.debug():
            return wrong(x)

    with mg.debug():
        assert mg.gradcheck(mg.tanh, X)
        assert mg.gradcheck(nn.Dense(3, 2), X)
        assert "suspect" in complaint(wrong, X)
        assert "suspect" in complaint(f, X)
    assert "suspect" in complaint(f, X)


def test_it_looks_on_through_a_debug_inside():
    def f(x):
        with mg.debug():
            return mg.tanh(x.astype(np.float32))

    assert "falls back" in complaint(f, X)


def test_debug_sees_the_gradients_it_runs():
    made = pytest.raises(FloatingPointError, match="the gradient of sqrt by argument 0 made inf")
    with mg.debug(), np.errstate(all="ignore"), made:
        mg.gradcheck(mg.sqrt, np.array([0.0]))


def test_debug_sees_what_it_runs():
    made = pytest.raises(FloatingPointError, match="log made nan")
    with mg.debug(), np.errstate(all="ignore"), made:
        mg.gradcheck(mg.log, np.array([-1.0]))


# ---- what is wrong is caught and named -----------------------------------------------------------


def test_a_rule_wrong_by_a_thousandth():
    text = complaint(row(lambda g, y, x: g * 1.001 * mg.cos(x)), np.array([0.5]))
    assert text.startswith("suspect: gradient of argument 0 at index (0,): expected 0.8775825")
    assert f"got {1.001 * np.cos(0.5):.9g}" in text
    assert "1 of 1 are wrong" in text


def test_a_rule_wrong_by_a_millionth_passes_or_not_by_rtol():
    slightly = row(lambda g, y, x: g * (1 + 1e-6) * mg.cos(x))
    assert mg.gradcheck(slightly, np.array([0.5]))
    assert "suspect" in complaint(slightly, np.array([0.5]), rtol=1e-8, atol=1e-9)


def test_a_missing_factor():
    square = row(lambda g, y, x: g * x, np.square)
    assert "suspect: gradient of argument 0 at index (0, 0)" in complaint(square, X)


def test_one_wrong_element_is_found_at_its_index():
    def rule(g, y, x):
        wrong = np.ones(x.shape)
        wrong[1, 2] = 1.01
        return g * mg.cos(x) * wrong

    text = complaint(row(rule), X)
    assert "index (1, 2)" in text
    assert "1 of 6" in text


def test_the_wrong_one_of_several_arguments_is_named():
    product = primitive(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * b)
    assert "argument 1" in complaint(product, X, RNG.normal(size=(2, 3)))


def test_a_transposed_result_of_a_square_matrix():
    turned = row(lambda g, y, x: (g * mg.cos(x)).T)
    assert "suspect: gradient of argument 0 at index (0, 1)" in complaint(turned, X[:, :2])


def test_a_transposed_result_of_another_shape():
    text = complaint(row(lambda g, y, x: (g * mg.cos(x)).T), X)
    assert text == "suspect: gradient of argument 0 came in shape (3, 2), expected (2, 3)."


@pytest.mark.parametrize("shape", [(), (3,), (1, 3), (2, 4)])
def test_a_wrong_shape(shape):
    text = complaint(row(lambda g, y, x: np.ones(shape)), X)
    assert f"suspect: gradient of argument 0 came in shape {shape}, expected (2, 3)" in text


def test_a_gradient_that_is_summed_once_too_often():
    """The engine sums over extra axes; a rule whose gradient has one by mistake is caught."""
    doubled = row(lambda g, y, x: g * mg.cos(x) + np.zeros((2, 1, 1)))
    assert "gradient of argument 0 at index (0, 0)" in complaint(doubled, X)


def test_a_sign():
    assert "suspect" in complaint(row(lambda g, y, x: -g * mg.cos(x)), X)


def test_errors_that_cancel_in_a_plain_sum():
    """Of f = sum(y), a rule that swaps two elements' gradients would look right."""
    swapped = row(lambda g, y, x: mg.flip(g) * 2.0, lambda x: x * 2.0)
    assert "suspect" in complaint(swapped, np.array([0.3, 0.7]))


def test_a_gradient_of_zero():
    assert "got 0 " in complaint(row(lambda g, y, x: g * 0.0), X)


def test_a_gradient_that_is_nan():
    assert "got nan" in complaint(row(lambda g, y, x: g * np.nan), X)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (lambda g, y, x: (g * mg.cos(x)).astype(np.float32), "float32"),
        (lambda g, y, x: g.astype(int), "int64"),
        (lambda g, y, x: 1.0, "float"),
    ],
)
def test_a_wrong_dtype(rule, kind):
    text = complaint(row(rule), X)
    assert text == f"suspect: gradient of argument 0 came as {kind}, not float64."


def test_a_function_that_falls_back_to_float32():
    text = complaint(lambda x: mg.tanh(x.astype(np.float32)), X)
    assert text == "astype gave float32: the function falls back from float64."


def test_a_value_that_is_rounded_to_float32_inside_an_operation():
    hidden = row(lambda g, y, x: g * mg.cos(x), lambda x: np.sin(x, dtype=np.float32).astype(float))
    assert "suspect" in complaint(hidden, X)


@pytest.mark.parametrize(
    "f",
    [
        mg.relu,
        mg.absolute,
        lambda x: mg.maximum(x, 0.0),
        mg.floor,
        lambda x: mg.clip(x, 0.0, 2.0),
        lambda x: mg.max(mg.concatenate([x, np.zeros(1)])) + x[0],
    ],
)
def test_a_kink_raises_with_its_index(f):
    text = complaint(f, np.array([-0.5, 0.0, -0.25]))
    assert "a kink in argument 0 at index (1,)" in text


def test_a_kink_that_is_near():
    assert "kink" in complaint(mg.relu, np.array([3e-7]))


def test_a_steep_curve_is_no_kink():
    assert mg.gradcheck(lambda x: mg.sin(20 * x), X)


def test_a_function_that_draws_anew_each_time():
    rng = np.random.default_rng(0)
    assert "another value each time" in complaint(lambda x: x * rng.normal(), X)
    assert "eval()" in complaint(nn.Dropout(0.5), X)


def test_a_function_that_is_not_finite():
    with np.errstate(all="ignore"):
        assert "gives inf" in complaint(lambda x: mg.exp(x * 1e4), np.array([1.0]))
        assert "gives nan" in complaint(mg.log, np.array([-1.0]))


def test_a_function_that_does_not_depend_on_its_input():
    assert "does not depend" in complaint(lambda x: mg.Tensor(x.data), X)
    assert "returns a ndarray, expected a Tensor" in complaint(lambda x: x.data, X)
    assert "returns a tuple" in complaint(lambda x: (x, x), X)


def test_an_input_that_the_rules_forget_is_zero_and_wrong():
    text = complaint(lambda a, b: a + mg.Tensor(b.data), X, X)
    assert "argument 1 at index (0, 0): expected" in text
    assert "got 0 " in text


def test_nothing_to_check():
    assert "at least one input of floats" in complaint(lambda i: mg.Tensor(1.0), np.array([1]))


# ---- rules that write into what they are given ---------------------------------------------------


def writes_into_an_input(g, y, a, b):
    a *= 1.5
    return g * b


def writes_into_g(g, y, a, b):
    g *= b
    return g


def writes_into_y(g, y, a, b):
    np.divide(g * y, a, out=y)
    return y


@pytest.mark.parametrize("rule", [writes_into_an_input, writes_into_g, writes_into_y])
def test_a_rule_that_writes_into_an_array_it_is_given(rule):
    product = primitive(np.multiply, rule, lambda g, y, a, b: g * a, name="suspect")
    a, b = mg.Tensor(X, requires_grad=True), RNG.normal(size=(2, 3))
    expected = "suspect: the rule of argument 0 writes into an array that it was given"
    assert expected in complaint(product, a, b)
    assert expected in complaint(lambda a, b: mg.exp(product(a, b) + a), a, b)


def test_a_rule_may_write_into_an_array_of_its_own():
    def rule(g, y, x):
        slope = np.cos(x)
        slope *= g
        return slope

    assert mg.gradcheck(row(rule), X)


def test_what_a_function_keeps_is_writable_after_a_check():
    seen = []
    weights = np.ones(3)

    def f(x):
        seen.append(x * weights)
        return seen[-1]

    assert mg.gradcheck(f, X)
    weights += 1
    for y in seen:
        y.data += 1


# ---- the operation at fault, inside a function or a module ---------------------------------------


WRONG = row(lambda g, y, x: g * 1.001 * (1 - y * y), np.tanh, name="wrong_tanh")


def test_the_operation_at_fault_inside_a_function_is_named():
    text = complaint(lambda x: mg.exp(WRONG(x * 2.0)).sum(), X)
    assert text.startswith("<lambda>: gradient of argument 0 at index (0, 0)")
    assert "The rule at fault is that of wrong_tanh: gradient of argument 0" in text


def test_right_operations_before_and_after_are_not_blamed():
    text = complaint(lambda x: mg.relu(WRONG(mg.relu(x + 0.0)) + 1.0), np.array([0.5, 2.0]))
    assert text.count("fault") == 1
    assert "that of wrong_tanh" in text


def test_an_operation_at_a_kink_that_does_not_matter_is_not_blamed():
    text = complaint(lambda x: mg.relu(x * 0.0) + WRONG(x), np.array([0.5]))
    assert "that of wrong_tanh" in text


@pytest.mark.parametrize("before", [False, True])
def test_an_operation_whose_constants_derive_from_its_input_is_not_blamed(before):
    """The moments of a batch norm are inputs of its row; they move with x, and its rule says so."""
    weight, bias = RNG.normal(size=3), RNG.normal(size=3)

    def f(x):
        x = WRONG(x) if before else x
        y = mg.batch_norm(x, weight, bias)[0]
        return y if before else WRONG(y)

    text = complaint(f, RNG.normal(size=(5, 3)))
    assert "that of wrong_tanh" in text
    assert "batch_norm" not in text


class Inner(nn.Module):
    def __init__(self):
        self.dense = nn.Dense(3, 4)

    def forward(self, x):
        return WRONG(self.dense(x))


class Net(nn.Module):
    def __init__(self, inner):
        self.parts = [inner, nn.Dense(4, 2)]

    def forward(self, x):
        return self.parts[1](mg.relu(self.parts[0](x)))


@pytest.mark.parametrize(
    "model",
    [
        nn.Dense(3, 2),
        nn.Sequential(nn.Dense(3, 4), nn.Tanh(), nn.Dense(4, 2), nn.Softmax()),
        nn.BatchNorm(3),
        Net(nn.Sequential(nn.Dense(3, 4), nn.Tanh())),
    ],
)
def test_modules_are_checked_with_all_their_parameters(model):
    before = {name: p.data.copy() for name, p in model.named_parameters()}
    assert mg.gradcheck(model, RNG.normal(size=(5, 3)))
    for name, p in model.named_parameters():  # a copy was checked
        assert p.grad is None
        assert p.dtype == np.float32
        np.testing.assert_array_equal(p.data, before[name])


def test_a_wrong_rule_deep_in_a_module_is_caught_and_named():
    text = complaint(Net(Inner()), RNG.normal(size=(5, 3)))
    assert text.startswith("Net: gradient of ")
    assert "wrong_tanh: gradient of argument 0 at index" in text


def test_a_wrong_rule_of_a_parameter_alone_is_caught_by_the_parameters_name():
    scaled = primitive(
        np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a * 1.001, name="scaled"
    )

    class Scale(nn.Module):
        def __init__(self):
            self.factor = nn.Parameter(np.ones(3))

        def forward(self, x):
            return scaled(x, self.factor)

    text = complaint(nn.Sequential(Scale()), X)
    assert text.startswith("Sequential: gradient of parameter '0.factor' at index (0,)")
    assert "scaled: gradient of argument 1" in text


WRONG_COPY = row(lambda g, y, x: g * 1.001, lambda x: x.copy(), name="wrong_copy")


class OneWrong(nn.Module):
    """Two layers, one of whose parameters goes through a wrong rule."""

    def __init__(self, wrong):
        self.wrong, self.layers = wrong, [nn.Dense(3, 4), nn.Dense(4, 2)]

    def forward(self, x):
        p = {k: WRONG_COPY(v) if k == self.wrong else v for k, v in self.named_parameters()}
        h = mg.tanh(x @ p["layers.0.weight"].T + p["layers.0.bias"])
        return h @ p["layers.1.weight"].T + p["layers.1.bias"]


@pytest.mark.parametrize(
    "name", ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
)
def test_no_parameter_escapes(name):
    text = complaint(OneWrong(name), X)
    assert f"parameter '{name}'" in text
    assert "wrong_copy" in text
    assert mg.gradcheck(OneWrong(None), X)
