"""The engine: what it computes, what it leaves alone, and how it refuses."""

import contextvars
import gc
import sys
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.autograd import gradients, primitive, topological_order

RNG = np.random.default_rng(0)


def leaf(*values, dtype=np.float64):
    data = np.array(values if len(values) != 1 else values[0], dtype)
    return mg.Tensor(data, requires_grad=True)


def differences(f, x, eps=1e-6):
    """Central differences of a function of an array that gives a number."""
    out = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = eps
        out[index] = (f(x + step) - f(x - step)) / (2 * eps)
    return out


def counted(calls, name="counted"):
    """A product whose rules count how often each is called."""

    def left(g, y, a, b):
        calls.append("a")
        return g * b

    def right(g, y, a, b):
        calls.append("b")
        return g * a

    return primitive(np.multiply, left, right, name=name)


def in_thread(function, context=None):
    """What `function` returns in a thread of its own, in a context if one is given."""
    results = []
    target = (lambda: results.append(function())) if context is None else None
    target = target or (lambda: results.append(context.run(function)))
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return results[0]


# ---- the chain rule ------------------------------------------------------------------------------


def test_a_tensor_used_by_several_operations_gets_the_sum_of_their_gradients():
    x = leaf(2.0)
    (x * 3 + mg.exp(x) + x * x).backward()
    assert x.grad == pytest.approx(3 + np.exp(2) + 4)


def test_a_diamond_is_walked_once_per_node():
    calls, x = [], leaf(3.0)
    product = counted(calls)
    top = product(x, 2.0)  # 2x
    (top * top + top).backward()  # 4x^2 + 2x
    assert x.grad == 8 * 3 + 2
    assert calls == ["a"]


def test_a_ladder_of_diamonds_takes_linear_time():
    calls, t = [], leaf(1.0)
    product = counted(calls)
    for _ in range(60):  # 2 ** 60 paths
        t = product(t, 1.0) + product(t, 0.5)
    assert t.requires_grad
    t.backward()
    assert len(calls) == 120


def test_the_same_tensor_as_both_operands():
    x = leaf(3.0, -1.0)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [6, -2])


def test_a_deep_branch_and_a_short_one_meet_after_both_are_done():
    x = leaf(0.7)
    deep = x
    for _ in range(50):
        deep = mg.tanh(deep)
    (deep * x).backward()

    def f(v):
        w = v
        for _ in range(50):
            w = np.tanh(w)
        return float(w * v)

    assert x.grad == pytest.approx(differences(f, np.array(0.7)), rel=1e-6)


def test_an_input_that_is_not_used_keeps_no_gradient():
    x, unused = leaf(1.0), leaf(1.0)
    y = x * 2
    y.backward(retain_graph=True)
    assert unused.grad is None
    assert gradients(y, [unused]) == [None]


def test_an_output_that_does_not_reach_the_inputs_keeps_its_graph():
    x = leaf(1.0)
    y = x * 2
    assert gradients(y, [leaf(1.0)]) == [None]
    y.backward()
    assert x.grad == 2


def test_gradients_of_an_output_by_itself():
    x = leaf(1.0, 2.0)
    (g,) = gradients(x, [x], gradient=np.array([3.0, 4.0]))
    np.testing.assert_array_equal(g, [3, 4])


def test_gradients_of_intermediate_tensors_and_of_one_named_twice():
    x = leaf(2.0)
    h = x * x
    y = h * 3
    to_h, to_x, again = gradients(y, [h, x, x])
    assert (to_h, to_x, again) == (3, 12, 12)
    assert not np.shares_memory(to_x, again)


# ---- leaves --------------------------------------------------------------------------------------


def test_backward_adds_to_the_gradient_of_a_leaf():
    x = leaf(2.0)
    (x * 3).backward()
    (x * 4).backward()
    assert x.grad == 7
    assert type(x.grad) is np.ndarray  # NumPy's sum of two arrays of no axis is a scalar
    x.grad = None
    (x * 4).backward()
    assert x.grad == 4


def test_adding_up_leaves_the_array_that_was_the_gradient_alone():
    x = leaf(1.0, 1.0)
    x.sum().backward()
    before = x.grad
    x.sum().backward()
    np.testing.assert_array_equal(before, [1, 1])
    np.testing.assert_array_equal(x.grad, [2, 2])


def test_only_leaves_get_a_gradient_unless_it_is_retained():
    x = leaf(2.0)
    plain, kept = x * 2, x * 3
    kept.retain_grad()
    (plain * kept).backward()
    assert plain.grad is None
    assert kept.grad == plain.data
    assert x.grad == 24


def test_the_gradient_is_an_array_of_the_shape_and_dtype_of_its_leaf():
    x32 = leaf([1.0, 2.0], dtype=np.float32)
    x64 = leaf([[3.0], [4.0]])
    scalar = mg.Tensor(1.0, requires_grad=True)
    (x32 * x64 * scalar).sum().backward()
    for x in (x32, x64, scalar):
        assert type(x.grad) is np.ndarray
        assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: a + b,  # both would get the very same array
        lambda a, b: a + b.T,  # one would get a view of the other's
        lambda a, b: a.sum() + b.sum(),  # a read-only broadcast of one number
        lambda a, b: mg.concatenate([a, b]),  # two parts of one array
        lambda a, b: mg.flip(a) - b,  # negative strides
        lambda a, b: a.reshape(-1) + b.reshape(-1),
        lambda a, b: a * 1.0 + b * a,
    ],
)
def test_leaves_own_their_gradients(f):
    a, b = leaf(RNG.normal(size=(3, 3))), leaf(RNG.normal(size=(3, 3)))
    y = f(a, b)
    start = np.ones(y.shape)
    y.backward(start)
    for x in (a, b):
        assert x.grad.flags.writeable
        assert x.grad.flags.c_contiguous
        assert x.grad.base is None or x.grad.base.size == x.grad.size
        for other in (a.data, b.data, start, y.data):
            assert not np.shares_memory(x.grad, other)
    assert not np.shares_memory(a.grad, b.grad)


def test_a_leaf_that_is_its_own_output_owns_its_gradient():
    x, start = leaf(1.0, 2.0), np.ones(2)
    x.backward(start)
    assert not np.shares_memory(x.grad, start)
    np.testing.assert_array_equal(x.grad, [1, 1])


def test_a_retained_gradient_and_a_leafs_do_not_share_memory():
    x = leaf(1.0, 2.0)
    y = x + 1.0
    y.retain_grad()
    y.backward(np.ones(2))
    assert not np.shares_memory(x.grad, y.grad)


def test_a_gradient_from_memory_that_is_no_array_is_copied():
    buffer = b"\0" * 16
    row = primitive(lambda x: x * 0.0, lambda g, y, x: np.frombuffer(buffer), name="row")
    x = leaf(1.0, 2.0)
    row(x).sum().backward()
    assert x.grad.flags.writeable


def test_gradients_never_writes_grad():
    x = leaf(2.0)
    h = x * x
    h.retain_grad()
    assert gradients(h * 3, [x, h]) == [12, 3]
    assert x.grad is None
    assert h.grad is None


def test_incoming_gradients_are_not_written_to():
    start = np.ones(3)
    start.flags.writeable = False
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2 + x
    y.backward(start, retain_graph=True)
    y.backward(start)
    np.testing.assert_array_equal(x.grad, [6, 6, 6])


# ---- what is freed, what is refused --------------------------------------------------------------


def test_backward_twice_through_a_freed_graph_says_how_to_keep_it():
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(ValueError, match="retain_graph=True"):
        y.backward()
    assert x.grad == 4


def test_a_second_loss_on_a_freed_trunk_is_refused():
    x = leaf(2.0)
    trunk = mg.exp(x)
    (trunk * 2).backward()
    with pytest.raises(ValueError, match="retain_graph=True"):
        (trunk * 3).backward()
    with pytest.raises(ValueError, match="retain_graph=True"):
        gradients(trunk * 3, [x])


def test_a_freed_tensor_is_not_a_leaf():
    x = leaf(2.0)
    y = x * x
    y.backward()
    assert y.requires_grad
    assert y.grad is None
    with pytest.raises(ValueError, match="freed"):
        y.backward()
    assert y.grad is None


def test_a_retained_graph_serves_again():
    x = leaf(2.0)
    trunk = mg.exp(x)
    first, second = trunk * 2, trunk * 3
    first.backward(retain_graph=True)
    second.backward()
    assert x.grad == pytest.approx(5 * np.exp(2))


def test_backward_where_nothing_requires_a_gradient_says_what_does():
    with pytest.raises(ValueError, match="requires_grad=True"):
        (mg.Tensor([1.0]) * 2).backward()


def test_backward_of_more_than_one_number_needs_a_start():
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=r"\(2,\).*sum"):
        (x * 2).backward()
    (x * 2).backward([10.0, 1.0])
    np.testing.assert_array_equal(x.grad, [20, 2])


def test_one_number_in_several_axes_needs_no_start():
    x = leaf([[3.0]])
    (x * x).backward()
    np.testing.assert_array_equal(x.grad, [[6]])


@pytest.mark.parametrize("start", [np.ones(3), np.ones((2, 1)), 1.0, mg.Tensor(np.ones(1))])
def test_a_start_of_another_shape_is_refused(start):
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward(start)


def test_a_start_of_another_dtype_is_cast():
    x = leaf([1.0, 2.0], dtype=np.float32)
    x.backward(mg.Tensor(np.ones(2)))
    assert x.grad.dtype == np.float32
    (g,) = gradients(x * 2, [x], np.ones(2), create_graph=True)
    assert g.dtype == np.float32


def test_an_input_without_a_rule_is_a_constant_and_says_so():
    half = primitive(np.multiply, lambda g, y, a, b: g * b, name="half")
    a, b = leaf(2.0), leaf(3.0)
    half(a, 3.0).backward()
    assert a.grad == 3
    with pytest.raises(TypeError, match=r"constant.*detach") as caught:
        half(a, b).backward()
    assert "half by argument 1" in caught.value.__notes__[0]


def test_a_condition_has_no_rule():
    condition = leaf(1.0, 0.0)
    with pytest.raises(TypeError, match="constant"):
        mg.where(condition, leaf(1.0, 2.0), 0.0).sum().backward()


def test_a_tensor_as_an_option_is_refused_and_the_operation_named():
    with pytest.raises(TypeError, match="reshape has no gradient for its options"):
        mg.reshape(leaf(1.0, 2.0), shape=mg.Tensor(2))


def test_an_error_in_a_rule_names_operation_and_argument():
    def broken(g, y, x):
        raise KeyError("inside")

    row = primitive(np.exp, broken, name="broken_row")
    with pytest.raises(KeyError) as caught:
        row(leaf(1.0)).backward()
    assert caught.value.__notes__ == ["in the gradient of broken_row by argument 0"]


# ---- shapes and dtypes of gradients --------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (2, 3)),
        ((), (2, 3)),
        ((2, 1), (2, 3)),
        ((1, 1), (2, 3)),
        ((2, 1, 4), (3, 1)),
        ((1,), ()),
        ((0, 3), (1, 3)),
        ((1,), (0,)),
    ],
)
def test_a_gradient_is_summed_over_the_axes_that_were_broadcast(a, b):
    x, y = leaf(RNG.normal(size=a)), leaf(RNG.normal(size=b))
    (x * y).sum().backward()
    ones = np.ones(np.broadcast_shapes(a, b))
    np.testing.assert_allclose(x.grad, differences(lambda v: (v * y.data * ones).sum(), x.data))
    assert y.grad.shape == b
    np.testing.assert_allclose(y.grad.sum(), (x.data * ones).sum(), atol=1e-12)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 2), (1, 2, 4)])
def test_a_gradient_that_does_not_broadcast_to_its_input_raises(shape):
    row = primitive(np.exp, lambda g, y, x: np.ones(shape), name="misshapen")
    with pytest.raises(ValueError, match="cannot broadcast") as caught:
        row(leaf(1.0, 2.0, 3.0)).sum().backward()
    assert "misshapen" in caught.value.__notes__[0]


def test_a_gradient_with_fewer_axes_than_its_input_raises():
    row = primitive(np.exp, lambda g, y, x: np.ones(3), name="thin")
    with pytest.raises(ValueError, match="cannot broadcast"):
        row(leaf(np.ones((3, 3)))).sum().backward()


def test_a_float64_rule_on_a_float32_input_gives_a_float32_gradient():
    row = primitive(np.exp, lambda g, y, x: np.float64(2.0) * g.astype(np.float64), name="wide")
    x = leaf([1.0, 2.0], dtype=np.float32)
    row(x).sum().backward()
    assert x.grad.dtype == np.float32


def test_no_gradient_is_computed_for_what_needs_none():
    calls = []
    product = counted(calls)
    x, frozen = leaf(2.0), mg.Tensor(3.0)
    product(x, frozen).backward()
    assert calls == ["a"]
    calls.clear()
    product(x, 3.0).backward()
    product(np.array(3.0), x).backward()
    assert calls == ["a", "b"]


def test_gradients_compute_nothing_that_its_inputs_do_not_need():
    calls = []
    product = counted(calls)
    x, w = leaf(2.0), leaf(3.0)
    first = product(x, w)
    y = product(first, w)
    assert gradients(y, [first], retain_graph=True) == [3]
    assert calls == ["a"]
    calls.clear()
    assert gradients(y, [w]) == [12]
    assert sorted(calls) == ["a", "b", "b"]


def test_nothing_is_recorded_of_tensors_that_require_no_gradient():
    y = mg.exp(mg.Tensor([1.0]) * 2)
    assert not y.requires_grad
    assert y.node is None


def test_a_primitive_of_arrays_is_the_numpy_function():
    x = np.array([1.0, 2.0])
    assert type(mg.exp(x)) is np.ndarray
    np.testing.assert_array_equal(mg.exp(x), np.exp(x))


def test_integer_results_require_no_gradient():
    row = primitive(np.sign, name="sign", doc="")
    counts = primitive(lambda x: x.astype(np.int64), name="counts")
    assert row(leaf(1.0)).requires_grad
    assert not counts(leaf(1.0)).requires_grad


def test_a_node_holds_primitive_inputs_values_keywords_and_parents():
    x = leaf(1.0, 2.0)
    row, inputs, values, keywords, parents = mg.sum(x, axis=0).node
    assert row is mg.sum
    assert inputs[0] is x
    assert values[0] is x.data
    assert keywords == {"axis": 0}
    assert parents == [(0, x)]


def test_each_serves_functions_of_many_inputs():
    row = primitive(lambda *xs: sum(xs), each=lambda i, g, y, *xs: g * (i + 1), name="weighted")
    xs = [leaf(1.0) for _ in range(3)]
    row(*xs).backward()
    assert [float(x.grad) for x in xs] == [1, 2, 3]


def test_only_rows_of_the_table_are_registered():
    primitive(np.exp, name="a_row_of_a_test")
    assert "a_row_of_a_test" not in mg.autograd.registry
    assert mg.autograd.registry["tanh"] is mg.tanh


# ---- gradients of gradients ----------------------------------------------------------------------


def test_x_to_the_fourth_differentiated_four_times():
    x = leaf(2.0)
    y, found = x * x * x * x, []
    for _ in range(4):
        (y,) = gradients(y, [x], create_graph=True)
        found.append(y.item())
    assert found == [32, 48, 48, 24]


def test_inside_no_grad_a_graph_of_gradients_is_made_when_asked_for():
    x = leaf(2.0)
    y = x * x * x
    with mg.no_grad():
        (g,) = gradients(y, [x], create_graph=True)
        assert gradients(g, [x]) == [12]


def test_a_fifth_derivative_finds_nothing_to_go_on():
    x = leaf(2.0)
    y = x * x
    for _ in range(2):
        (y,) = gradients(y, [x], create_graph=True)
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradients(y, [x])


def test_gradients_of_gradients_flow_through_a_given_start():
    x, start = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (g,) = gradients(x * x, [x], start, create_graph=True)
    np.testing.assert_array_equal(gradients(g.sum(), [start])[0], 2 * x.data)


def network(rng):
    """The loss of a small network, as a function of its parameters in one vector."""
    x, target = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))

    def loss(v):
        w1, b1, w2 = v[:12].reshape(3, 4), v[12:16], v[16:24].reshape(4, 2)
        return mg.mse_loss(mg.softmax(mg.tanh(x @ w1 + b1) @ w2), target)

    return loss, rng.normal(size=24)


def test_hessian_vector_products_of_a_network_agree_with_finite_differences():
    rng = np.random.default_rng(1)
    loss, v = network(rng)
    along, eps = rng.normal(size=24), 1e-5
    x = leaf(v)
    (g,) = gradients(loss(x), [x], create_graph=True)
    (product,) = gradients((g * along).sum(), [x])

    def slope(v):
        y = leaf(v)
        return gradients(loss(y), [y])[0]

    expected = (slope(v + eps * along) - slope(v - eps * along)) / (2 * eps)
    np.testing.assert_allclose(product, expected, rtol=1e-6, atol=1e-9)


def test_nested_grad_does_not_mix_levels():
    assert float(mg.grad(lambda x: x * mg.grad(lambda y: x * y)(x))(3.0)) == 6
    # d/dx [x * d/dy (x * y * y) at y = x] = d/dx [2 x^3]
    nested = mg.grad(lambda x: x * mg.grad(lambda y: x * y * y)(x))
    assert float(nested(np.array(3.0))) == 54


# ---- long graphs, and memory ---------------------------------------------------------------------


def long_chain(n=100_000):
    x = leaf(1.0)
    t = x
    for _ in range(n):
        t = t + 1e-5
    return x, t


def test_100_000_operations_are_differentiated():
    x, t = long_chain()
    t.backward()
    assert x.grad == 1
    assert t.data == pytest.approx(2)


def test_100_000_operations_are_freed_without_backward():
    x, t = long_chain()
    assert len(topological_order(t)) == 100_001
    del t
    assert x.grad is None  # and no crash


def test_100_000_operations_are_freed_on_the_small_stack_of_a_thread():
    # Python frees nested lists on a stack of 256 kB, from 3.13 on of no less than 1 MB.
    threading.stack_size((256 if sys.version_info < (3, 13) else 1024) * 1024)
    try:

        def run():
            long_chain()
            x, t = long_chain()
            t.backward()
            return float(x.grad)

        assert in_thread(run) == 1
    finally:
        threading.stack_size(0)


def training_step(seed=0):
    mg.manual_seed(seed)
    model = nn.Sequential(nn.Dense(4, 8), nn.ReLU(), nn.Dense(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x, y = RNG.normal(size=(6, 4)).astype(np.float32), np.arange(6) % 3

    def step():
        optimizer.zero_grad()
        loss = mg.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    return step


def test_reference_counting_alone_frees_a_training_step():
    step = training_step()
    step()
    gc.collect()
    gc.disable()
    try:
        step()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_reference_counting_alone_frees_a_graph_that_is_not_differentiated():
    x = leaf(1.0)
    gc.collect()
    gc.disable()
    try:
        y = mg.exp(x) * x
        (g,) = gradients(y, [x], create_graph=True)
        del y, g
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_memory_is_flat_over_2000_steps_with_the_collector_off():
    step = training_step()
    gc.collect()
    gc.disable()
    for _ in range(1000):  # fills the lists of free tuples that the interpreter keeps
        step()
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2000):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < 16 * 2000  # bytes: the smallest object there is, leaked in each step, is more


def test_what_backward_has_used_is_freed_before_the_next_rule_runs():
    alive, x = [], leaf(1.0, 2.0)
    first = primitive(np.exp, lambda g, y, x: (alive.append(later()), g * y)[1], name="first")
    h = mg.tanh(first(x))
    later, h = weakref.ref(h.data), h.sum()
    h.backward()
    assert alive == [None]


def test_backward_holds_few_gradients_at_a_time():
    x = leaf(np.ones(100_000))
    t = x
    for _ in range(50):
        t = mg.tanh(t)
    tracemalloc.start()
    try:
        t.sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * x.data.nbytes  # temporary gradients, never one for each of the 50


# ---- no_grad -------------------------------------------------------------------------------------


def recorded():
    return (leaf(1.0) * 2).requires_grad


def test_no_grad_records_nothing_and_ends():
    with mg.no_grad():
        assert not recorded()
    assert recorded()


def test_no_grad_nests():
    with mg.no_grad():
        with mg.no_grad():
            assert not recorded()
        assert not recorded()
    assert recorded()


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), mg.no_grad():
        raise KeyError
    assert recorded()


def test_no_grad_as_a_decorator_also_of_a_recursive_function():
    @mg.no_grad()
    def record(depth):
        return recorded() or (depth > 0 and record(depth - 1)) or recorded()

    assert not record(3)
    assert not record(3)
    assert recorded()


def test_no_grad_holds_in_a_thread_with_a_copied_context_and_in_no_other():
    with mg.no_grad():
        assert not in_thread(recorded, contextvars.copy_context())
        assert in_thread(recorded)  # a plain thread starts anew


def test_no_grad_in_a_thread_does_not_reach_the_others():
    inside, done = threading.Event(), threading.Event()

    def hold():
        with mg.no_grad():
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert inside.wait(60)
        assert recorded()
    finally:
        done.set()
        thread.join()


def test_threads_differentiate_graphs_over_shared_leaves():
    w = leaf(RNG.normal(size=(20, 20)))
    xs = [RNG.normal(size=(5, 20)) for _ in range(8)]

    def slope(x):
        return gradients(mg.tanh(x @ w).sum(), [w])[0]

    expected, results = [slope(x) for x in xs], [None] * 8

    def work(i):
        results[i] = slope(xs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, truth in zip(results, expected, strict=True):
        np.testing.assert_array_equal(got, truth)
    assert w.grad is None


# ---- Tensor --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (0.1, np.float32),
        (3, np.float32),
        ([1, 2], np.float32),
        ([[0.5], [1.5]], np.float32),
        ((1.0, 2.0), np.float32),
        (True, np.bool_),
        (np.float64(0.1), np.float64),
        (np.array([1.0, 2.0]), np.float64),
        (np.array([1, 2]), np.int64),
        (np.array([1.0], np.float16), np.float16),
        (np.array([1], np.uint8), np.uint8),
        (mg.Tensor(np.array([1.0])), np.float64),
    ],
)
def test_numbers_and_lists_become_float32_and_arrays_keep_their_dtype(data, dtype):
    assert mg.Tensor(data).dtype == dtype
    assert type(mg.Tensor(data).data) is np.ndarray


def test_a_dtype_can_be_asked_for():
    assert mg.Tensor([1, 2], dtype=np.int64).dtype == np.int64
    assert mg.Tensor(np.arange(2), dtype=np.float32, requires_grad=True).dtype == np.float32


def test_a_tensor_is_its_array_without_a_copy():
    x = np.zeros(3)
    assert mg.Tensor(x).data is x


@pytest.mark.parametrize("data", [np.array([1, 2]), np.array([True]), np.array(["a"]), None])
def test_what_is_not_floats_cannot_require_a_gradient(data):
    with pytest.raises(TypeError, match="expects floats"):
        mg.Tensor(data, requires_grad=True)


@pytest.mark.parametrize("data", ["text", None, [1j], np.array([object()])])
def test_what_is_no_number_is_no_tensor(data):
    with pytest.raises(TypeError, match="expects numbers"):
        mg.Tensor(data)


def test_a_tensor_of_a_tensor_that_requires_a_gradient_is_refused():
    with pytest.raises(TypeError, match="detach"):
        mg.Tensor(leaf(1.0))


def test_data_stays_an_array_when_it_is_assigned():
    p = mg.Tensor(2.0, requires_grad=True)
    (p * p).backward()
    p.data = p.data - 0.25 * p.grad  # NumPy gives a scalar here, not an array
    assert type(p.data) is np.ndarray
    assert p.data.shape == ()
    p.data -= 0.5
    assert p.data == 0.5


def test_data_of_every_result_is_an_array():
    x = leaf(2.0)
    for y in (x * x, x.sum(), mg.exp(x), x**2, -x, abs(x)):
        assert type(y.data) is np.ndarray


def test_unknown_attributes_raise():
    with pytest.raises(AttributeError):
        leaf(1.0).no_such_thing = 1
    with pytest.raises(AttributeError):
        leaf(1.0).no_such_thing  # noqa: B018


def test_a_parameter_update_during_a_graph_does_not_change_its_gradients():
    p = leaf(3.0)
    y = p * p
    p.data = np.array(100.0)
    y.backward()
    assert p.grad == 6


def test_a_tensor_pickled_by_version_0_1_is_read():
    x = mg.Tensor(np.array([1.0, 2.0]), requires_grad=True, name="x")
    fields = {
        "_data": x.data, "_node": None, "_retains": False, "grad": None, "name": "x",
        "requires_grad": True,
    }  # fmt: skip
    old = object.__new__(mg.Tensor)
    old.__setstate__((None, fields))
    (old * old).sum().backward()
    assert old.grad.tolist() == [2, 4]
    assert (old.node, old.retains_grad, old.name) == (None, False, "x")


def test_gradients_to_be_differentiated_again_are_tensors_also_where_an_array_starts_them():
    x = mg.Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    start = np.arange(6.0).reshape(2, 3)
    for output in x, x * 2:
        (g,) = gradients(output, [x], start, create_graph=True)
        assert isinstance(g, mg.Tensor)
        assert g.dtype == np.float32
