"""Normalization beyond the table of cases: moments, blocks, layouts."""

import numpy as np
import op_truth as truth
import pytest
from op_checks import LAYOUTS, _laid_out, blocks_of

import minigrad as mg
from minigrad import Tensor, gradients


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4, 5)])
def test_batch_norm_gives_the_biased_moments_of_each_channel(shape):
    x = np.random.default_rng(0).normal(2, 3, shape)
    _, mean, var = mg.batch_norm(x, np.ones(3), np.zeros(3))
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(np.ravel(mean), x.mean(axes))
    np.testing.assert_allclose(np.ravel(var), x.var(axes))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block_bytes", [1, 200, 2**19])
def test_blocks_and_layouts_do_not_matter(layout, block_bytes):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(5, 3, 4, 1)), rng.normal(size=3), rng.normal(size=3)
    g = rng.normal(size=x.shape)
    tensors = [Tensor(v, requires_grad=True) for v in (_laid_out(x, layout), weight, bias)]
    with blocks_of(block_bytes):
        y = mg.batch_norm(*tensors)[0]
        by_x, by_weight, by_bias = gradients(y, tensors, _laid_out(g, layout))
    np.testing.assert_allclose(y.data, truth.batch_norm(x, weight, bias))
    np.testing.assert_allclose(by_x, truth.batch_norm_input_gradient(g, x, weight, 1e-5))
    np.testing.assert_allclose(by_weight, truth.batch_norm_weight_gradient(g, x, 1e-5))
    np.testing.assert_allclose(by_bias, g.sum((0, 2, 3)))


def test_normalized_numbers_have_mean_0_and_variance_1():
    x = np.random.default_rng(0).normal(5, 3, (20, 100)).astype(np.float32)
    y = mg.layer_norm(x, 100, np.ones(100, np.float32), np.zeros(100, np.float32))
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(1), 1, atol=1e-3)
    assert y.dtype == np.float32


def test_second_derivatives_of_batch_norm_whose_weight_depends_on_its_input():
    def loss(x):
        y, _, _ = mg.batch_norm(x, mg.mean(x, 0), mg.sum(x * x, 0), eps=0.1)
        return mg.sum(y**3) / 10

    x = np.random.default_rng(0).normal(size=(4, 2))
    assert mg.gradcheck(loss, [x])
    assert mg.gradcheck(mg.grad(loss), [x])


def test_third_derivatives_of_batch_norm():
    x = np.random.default_rng(0).normal(size=(3, 2))
    loss = lambda x: mg.sum(mg.batch_norm(x, np.ones(2), np.zeros(2), eps=0.1)[0] ** 3)
    bend = mg.grad(lambda x: mg.sum(mg.grad(loss)(x) ** 2))
    assert mg.gradcheck(bend, [x])


def test_layer_norm_of_another_shape_raises():
    with pytest.raises(ValueError, match=r"\(4,\) expects .* got \(2, 3\)"):
        mg.layer_norm(np.zeros((2, 3)), 4)


def test_batch_norm_with_a_weight_of_another_shape_raises():
    with pytest.raises(ValueError, match=r"weight and bias \(C,\), got .*, \(3,\) and \(1,\)"):
        mg.batch_norm(np.ones((4, 1, 2, 3)), np.ones(3), np.zeros(1))
