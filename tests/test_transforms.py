"""Transforms: against closed forms and finite differences, nested, of trees, and their errors."""

import gc
from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3))
X = RNG.normal(size=3)


def quadratic(x):
    return x @ A @ x


def cubes(x):
    return (x * x * x).sum()


def differences(f, x, eps=1e-6):
    """df_i / dx_j of a function of arrays, by central differences."""
    columns = []
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = eps
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * eps))
    return np.stack(columns, -1).reshape(np.shape(f(x)) + x.shape)


# ---- grad and value_and_grad ---------------------------------------------------------------------


def test_grad_of_a_quadratic_form():
    np.testing.assert_allclose(mg.grad(quadratic)(X), (A + A.T) @ X)


def test_arrays_in_arrays_out_in_their_dtype():
    for dtype in (np.float32, np.float64):
        g = mg.grad(cubes)(X.astype(dtype))
        assert type(g) is np.ndarray
        assert g.dtype == dtype
    assert mg.grad(lambda x: x * x)(3.0).dtype == np.float32  # as of Tensor(3.0)


def test_tensors_in_tensors_out_that_require_nothing():
    g = mg.grad(cubes)(mg.Tensor(X))
    assert isinstance(g, mg.Tensor)
    assert g.dtype == np.float64
    assert not g.requires_grad


def test_value_and_grad_runs_f_once():
    runs = []

    def f(x):
        runs.append(1)
        return cubes(x)

    value, slope = mg.value_and_grad(f)(X)
    assert type(value) is np.ndarray
    np.testing.assert_allclose(value, (X**3).sum())
    np.testing.assert_allclose(slope, 3 * X**2)
    assert len(runs) == 1


def test_argnums_as_a_number_a_negative_one_and_a_tuple():
    def f(a, b):
        return (a * b * b).sum()

    a, b = RNG.normal(size=(2, 4))
    np.testing.assert_allclose(mg.grad(f, argnums=1)(a, b), 2 * a * b)
    np.testing.assert_allclose(mg.grad(f, argnums=-1)(a, b), 2 * a * b)
    both = mg.grad(f, argnums=(1, 0))(a, b)
    assert isinstance(both, tuple)
    np.testing.assert_allclose(both[0], 2 * a * b)
    np.testing.assert_allclose(both[1], b * b)
    (only,) = mg.grad(f, argnums=(0,))(a, b)
    np.testing.assert_allclose(only, b * b)


def test_other_arguments_and_keywords_reach_f_as_they_are():
    def f(x, flag, *, power):
        assert flag == "yes"
        return (x**power).sum()

    np.testing.assert_allclose(mg.grad(f)(X, "yes", power=2), 2 * X)


@pytest.mark.parametrize(
    "transform", [mg.grad, mg.value_and_grad, mg.vjp, mg.jacobian, mg.hessian, mg.hvp]
)
def test_keeps_the_name_and_doc_of_f(transform):
    def square(x):
        """The square."""
        return x * x

    assert transform(square).__name__ == "square"
    assert transform(square).__doc__ == "The square."


# ---- trees ---------------------------------------------------------------------------------------

Point = namedtuple("Point", "x y")


def test_gradients_have_the_structure_of_nested_arguments():
    tree = {"w": [X, (2.0 * X, 3.0 * X)], "b": np.array(2.0), "p": Point(X, X)}

    def f(t):
        (w, (v, _)), p = t["w"], t["p"]
        return t["b"] * (w * v).sum() + (p.x * p.x).sum() + 0.0 * p.y.sum()

    g = mg.grad(f)(tree)
    assert list(g) == ["w", "b", "p"]
    assert isinstance(g["w"], list)
    assert isinstance(g["w"][1], tuple)
    assert isinstance(g["p"], Point)
    np.testing.assert_allclose(g["w"][0], 2 * 2 * X)
    np.testing.assert_allclose(g["w"][1][0], 2 * X)
    # Unused beside others: zeros. (Without `strict` a single 0 would equal them.)
    np.testing.assert_array_equal(g["w"][1][1], np.zeros(3), strict=True)
    np.testing.assert_allclose(g["b"], 2 * (X * X).sum())
    np.testing.assert_allclose(g["p"].x, 2 * X)


def test_an_argument_that_is_used_twice_in_a_tree_is_two_variables():
    g = mg.grad(lambda t: (t[0] * t[1]).sum() + t[0].sum())([X, X])
    np.testing.assert_allclose(g[0], X + 1)
    np.testing.assert_allclose(g[1], X)


def test_arguments_are_not_changed():
    x = X.copy()
    x.flags.writeable = False
    tree = {"x": x}
    mg.hessian(lambda t: cubes(t["x"]))(tree)
    assert tree["x"] is x


# ---- vjp and jacobian ----------------------------------------------------------------------------


def test_vjp_is_a_row_times_the_jacobian():
    y, pull = mg.vjp(lambda x: mg.tanh(A @ x))(X)
    np.testing.assert_allclose(y, np.tanh(A @ X))
    jacobian = (1 - y * y)[:, None] * A
    for v in (np.array([1.0, 0, 0]), RNG.normal(size=3)):
        np.testing.assert_allclose(pull(v), v @ jacobian)  # and it can be pulled again


def test_vjp_of_a_function_that_returns_a_tree():
    y, pull = mg.vjp(lambda x: {"a": x * x, "b": (x.sum(), x)})(X)
    assert list(y) == ["a", "b"]
    np.testing.assert_allclose(y["b"][0], X.sum())
    v = {"a": np.ones(3), "b": (np.array(5.0), np.arange(3.0))}
    np.testing.assert_allclose(pull(v), 2 * X + 5 + np.arange(3))


def test_vjp_refuses_a_vector_of_another_shape():
    _, pull = mg.vjp(lambda x: x * x)(X)
    with pytest.raises(ValueError, match=r"vjp expects v of shape \(3,\), got \(1,\)"):
        pull(np.ones(1))


def test_jacobian_against_finite_differences():
    def f(x):
        return mg.exp(A @ x)[:2] * x[0]

    np.testing.assert_allclose(
        mg.jacobian(f)(X), differences(lambda x: np.exp(A @ x)[:2] * x[0], X), rtol=1e-6
    )


def test_jacobian_has_the_shape_of_f_then_that_of_x():
    x, w = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4))
    of_x, of_w = mg.jacobian(mg.matmul, argnums=(0, 1))(x, w)
    assert of_x.shape == (2, 4, 2, 3)
    assert of_w.shape == (2, 4, 3, 4)
    np.testing.assert_allclose(of_x, np.einsum("ik,lj->ijkl", np.eye(2), w), atol=1e-15)
    np.testing.assert_allclose(of_w, np.einsum("ik,jl->ijkl", x, np.eye(4)), atol=1e-15)


def test_jacobian_of_a_number_is_the_gradient():
    np.testing.assert_array_equal(mg.jacobian(quadratic)(X), mg.grad(quadratic)(X))


def test_jacobian_of_nothing_is_empty():
    assert mg.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert mg.jacobian(lambda x: x * 2)(np.empty(0)).shape == (0, 0)


def test_jacobian_of_trees_is_a_tree_of_trees():
    j = mg.jacobian(lambda p: [p["a"] * 2, p["b"].sum()])({"a": X, "b": np.ones(2)})
    np.testing.assert_array_equal(j[0]["a"], 2 * np.eye(3))
    np.testing.assert_array_equal(j[0]["b"], np.zeros((3, 2)), strict=True)
    np.testing.assert_array_equal(j[1]["a"], np.zeros(3), strict=True)
    np.testing.assert_array_equal(j[1]["b"], np.ones(2), strict=True)


# ---- hessian and hvp -----------------------------------------------------------------------------


def test_hessian_of_a_quadratic_form():
    h = mg.hessian(quadratic)(X)
    assert type(h) is np.ndarray
    np.testing.assert_allclose(h, A + A.T)


def test_hessian_against_finite_differences_of_the_gradient():
    def f(x):
        return mg.logsumexp(mg.sin(A @ x)) * x[0]

    expected = differences(mg.grad(f), X)
    h = mg.hessian(f)(X)
    np.testing.assert_allclose(h, expected, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(h, h.T, atol=1e-12)


def test_hessian_of_a_dict_is_a_dict_of_dicts():
    h = mg.hessian(lambda p: (p["a"] * p["b"] * p["b"]).sum())({"a": X, "b": 2 * X})
    np.testing.assert_array_equal(h["a"]["a"], np.zeros((3, 3)), strict=True)
    np.testing.assert_allclose(h["a"]["b"], np.diag(4 * X))
    np.testing.assert_allclose(h["b"]["a"], np.diag(4 * X))
    np.testing.assert_allclose(h["b"]["b"], np.diag(2 * X))


def test_hessian_of_two_arguments_is_a_tuple_of_tuples():
    h = mg.hessian(lambda a, b: (a * b).sum(), argnums=(0, 1))(X, X)
    np.testing.assert_array_equal(h[0][0], np.zeros((3, 3)), strict=True)
    np.testing.assert_array_equal(h[0][1], np.eye(3))


def test_second_derivatives_of_a_linear_function_are_zeros():
    h = mg.hessian(lambda x: (2 * x).sum())(X)
    np.testing.assert_array_equal(h, np.zeros((3, 3)), strict=True)
    np.testing.assert_array_equal(mg.hvp(lambda x: x.sum())(X, X), np.zeros(3), strict=True)
    assert mg.hvp(lambda x: x.sum())(X.astype(np.float32), X).dtype == np.float32


def test_hvp_is_the_hessian_times_a_vector():
    def f(x):
        return mg.tanh(A @ x).sum() * x[1]

    v = RNG.normal(size=3)
    np.testing.assert_allclose(mg.hvp(f)(X, v), mg.hessian(f)(X) @ v)


def test_hvp_of_a_tree_and_of_several_arguments():
    def f(p, c):
        return (p["a"] * p["a"] * p["b"] * c).sum()

    p, c = {"a": X, "b": 2 * X}, RNG.normal(size=3)
    along = {"a": RNG.normal(size=3), "b": RNG.normal(size=3)}
    product = mg.hvp(f)(p, c, along)
    a, b, va, vb = X, 2 * X, along["a"], along["b"]
    np.testing.assert_allclose(product["a"], 2 * b * c * va + 2 * a * c * vb)
    np.testing.assert_allclose(product["b"], 2 * a * c * va)
    of_c = mg.hvp(lambda q, s: f(q, s) * s.sum(), argnums=1)(p, c, va)
    weights = a * a * b
    np.testing.assert_allclose(of_c, weights * va.sum() + (weights @ va))


# ---- nested --------------------------------------------------------------------------------------


def test_levels_do_not_mix():
    assert float(mg.grad(lambda x: x * mg.grad(lambda y: x * y)(x))(3.0)) == 6
    # the inner derivative is 1 whatever x is: the classic trap (Siskind and Pearlmutter 2005)
    assert float(mg.grad(lambda x: x * mg.grad(lambda y: x + y)(1.0))(1.0)) == 1


def test_four_times():
    f = lambda x: x**4
    for expected in (4 * 8, 12 * 4, 24 * 2, 24):
        f = mg.grad(f)
        assert float(f(np.array(2.0))) == expected


def test_grad_of_a_summed_gradient_is_the_sum_of_the_hessians_rows():
    f = lambda x: mg.exp(x).sum()
    np.testing.assert_allclose(mg.grad(lambda x: mg.grad(f)(x).sum())(X), np.exp(X))


def test_every_transform_inside_grad():
    x, v = np.array([0.5, 1.5]), np.array([1.0, 2.0])
    f = lambda t: (t * t * t).sum()
    cases = [
        (lambda t: mg.grad(f)(t).sum(), 6 * x),
        (lambda t: mg.value_and_grad(f)(t)[0], 3 * x**2),
        (lambda t: mg.value_and_grad(f)(t)[1].sum(), 6 * x),
        (lambda t: mg.jacobian(lambda s: s * s * s)(t).sum(), 6 * x),
        (lambda t: mg.hessian(f)(t).sum(), np.full(2, 6.0)),
        (lambda t: mg.hvp(f)(t, v).sum(), 6 * v),
        (lambda t: mg.hvp(f)(x, t).sum(), 6 * x),  # by the vector
        (lambda t: mg.vjp(lambda s: s * s)(t)[1](v).sum(), 2 * v),
        (lambda t: mg.vjp(lambda s: s * s)(x)[1](t).sum(), 2 * x),  # by the vector
    ]
    for g, expected in cases:
        np.testing.assert_allclose(mg.grad(g)(x), expected)


def test_hessian_is_jacobian_of_jacobian():
    f = lambda x: mg.tanh(A @ x).sum()
    np.testing.assert_allclose(mg.jacobian(mg.jacobian(f))(X), mg.hessian(f)(X))


# ---- tensors from outside, no_grad ---------------------------------------------------------------


def test_a_closure_over_a_tensor_that_requires_a_gradient_is_no_constant():
    w = mg.Tensor(np.array(2.0), requires_grad=True)
    g = mg.grad(lambda x: (w * x * x).sum())(X)
    assert isinstance(g, mg.Tensor)
    np.testing.assert_allclose(g.data, 4 * X)
    g.sum().backward()  # d/dw sum(2 w x)
    np.testing.assert_allclose(w.grad, 2 * X.sum())


def test_a_gradient_penalty_trains_a_model():
    """The use of it: the parameters get a gradient through the gradient by the input."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Dense(3, 4), nn.Tanh(), nn.Dense(4, 1)).astype(np.float64)

    def penalty():
        slope = mg.grad(lambda x: model(x).sum())(X[None])
        return (slope * slope).sum()

    penalty().backward()
    w = model[0].weight
    got, original = w.grad, w.data.copy()

    def value(data):
        w.data = data
        return penalty().item()

    np.testing.assert_allclose(got, differences(value, original), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f, x: mg.value_and_grad(f)(x)[0],
        lambda f, x: mg.vjp(f)(x)[1](np.array(1.0)),
        lambda f, x: mg.jacobian(f)(x),
        lambda f, x: mg.hessian(f)(x),
        lambda f, x: mg.hvp(f)(x, np.ones(3)),
    ],
)
def test_no_transform_makes_a_silent_constant_of_a_closure(transform):
    w = mg.Tensor(np.array(2.0), requires_grad=True)
    out = transform(lambda x: (w * x * x * x).sum(), X)
    assert out.requires_grad
    out.sum().backward()
    assert abs(w.grad) > 0


def test_a_tensor_argument_that_requires_a_gradient_stays_connected():
    x = mg.Tensor(X, requires_grad=True)
    mg.grad(cubes)(x).sum().backward()
    np.testing.assert_allclose(x.grad, 6 * X)


def test_transforms_never_write_grad():
    w = mg.Tensor(np.array(2.0), requires_grad=True)
    x = mg.Tensor(X, requires_grad=True)
    mg.grad(lambda t: (w * t).sum())(x)
    mg.hessian(lambda t: (w * t * t).sum())(x)
    assert w.grad is None
    assert x.grad is None


def test_inside_no_grad_the_derivative_is_computed_and_not_recorded():
    w = mg.Tensor(np.array(2.0), requires_grad=True)
    x = mg.Tensor(X, requires_grad=True)
    with mg.no_grad():
        plain = mg.grad(lambda t: (w * t * t).sum())(X)
        tensor = mg.grad(cubes)(x)
        nested = mg.grad(lambda t: mg.grad(cubes)(t).sum())(X)
        np.testing.assert_allclose(mg.hessian(cubes)(X), np.diag(6 * X))
    assert type(plain) is np.ndarray
    np.testing.assert_allclose(plain, 4 * X)
    assert not tensor.requires_grad
    np.testing.assert_allclose(tensor.data, 3 * X**2)
    np.testing.assert_allclose(nested, 6 * X)


def test_a_pull_works_inside_no_grad():
    _, pull = mg.vjp(lambda x: x * x)(X)
    with mg.no_grad():
        np.testing.assert_allclose(pull(np.ones(3)), 2 * X)


def test_no_grad_inside_f_holds():
    def f(x):
        with mg.no_grad():
            c = mg.exp(x)
        return (c * x).sum()

    np.testing.assert_allclose(mg.grad(f)(X), np.exp(X))


def test_reference_counting_alone_frees_a_transform():
    mg.hessian(quadratic)(X)
    gc.collect()
    gc.disable()
    try:
        mg.hessian(quadratic)(X)
        mg.vjp(quadratic)(X)[1](np.array(1.0))
        assert gc.collect() == 0
    finally:
        gc.enable()


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "hessian"])
def test_more_than_one_number_is_refused_with_a_way_out(name):
    with pytest.raises(ValueError, match=rf"{name} expects f to return one number.*\(3,\).*sum"):
        getattr(mg, name)(lambda x: x * 2)(X)
    with pytest.raises(ValueError, match=r"got 2 of shape \(3,\), \(3,\)"):
        getattr(mg, name)(lambda x: (x, x))(X)


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "vjp", "jacobian", "hessian"])
@pytest.mark.parametrize("outside", [mg.Tensor(2.0), mg.Tensor(2.0, requires_grad=True)])
def test_a_function_that_does_not_depend_on_its_argument_is_refused(name, outside):
    for f in (lambda x: outside * 2.0, lambda x: (mg.Tensor(x.data) * outside).sum()):
        with pytest.raises(ValueError, match=f"{name}: what f returns does not depend"):
            getattr(mg, name)(f)(X)


def test_hvp_names_itself():
    with pytest.raises(ValueError, match="hvp: what f returns does not depend"):
        mg.hvp(lambda x: mg.Tensor(1.0))(X, X)
    with pytest.raises(ValueError, match=r"hvp expects v of shape \(3,\), got \(2,\)"):
        mg.hvp(cubes)(X, X[:2])


@pytest.mark.parametrize("f", [lambda x: x.sum().item(), lambda x: x.data.sum(), lambda x: None])
def test_a_function_that_returns_no_tensor_is_refused_and_told_why(f):
    with pytest.raises(TypeError, match=r"grad expects f to return a Tensor, got .*\.item\(\)"):
        mg.grad(f)(X)


def test_an_argument_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="grad got 1 arguments, but argnums=1"):
        mg.grad(quadratic, argnums=1)(X)
    with pytest.raises(ValueError, match=r"jacobian got 2 arguments, but argnums=\(0, 2\)"):
        mg.jacobian(mg.multiply, argnums=(0, 2))(X, X)


def test_integers_have_no_derivative():
    with pytest.raises(TypeError, match=r"floats.*int64"):
        mg.grad(cubes)(np.array([1, 2]))
