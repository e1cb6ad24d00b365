"""Several ranks that share each batch compute what one process does, and fail together.

Here the ranks are threads, and `reduce` adds their arrays up; tests/test_mpi.py has processes.
"""

import functools
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.checks import LossNotFinite
from minigrad.run import Run
from minigrad.shards import pieces

rng = np.random.default_rng(4)


class Ranks:
    """Threads that add their arrays up, as MPI's Allreduce does; keeps what each was given."""

    def __init__(self, count):
        self.count = count
        self.messages = []
        self.arrays = [None] * count
        self.meeting = threading.Barrier(count)

    def reduce(self, rank, array):
        self.arrays[rank] = array.copy()
        self.meeting.wait(60)
        total = sum(self.arrays[1:], self.arrays[0])
        if rank == 0:
            self.messages.append((array.dtype, array.shape))
        self.meeting.wait(60)
        array[...] = total

    def run(self, work):
        """[work(rank, reduce) for each rank], at once; an error is returned as it is."""
        results = [None] * self.count

        def of_rank(rank):
            try:
                results[rank] = work(rank, functools.partial(self.reduce, rank))
            except BaseException as error:
                results[rank] = error

        threads = [threading.Thread(target=of_rank, args=(rank,)) for rank in range(self.count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results


def network(*extra):
    rng = np.random.default_rng(0)
    first = nn.Conv2D(2, 4, 3, rng=rng)
    parts = [first, nn.ReLU(), nn.MaxPool(2), *extra, nn.Flatten(), nn.Dense(36, 3, rng=rng)]
    return nn.Sequential(*parts)


def images(n=12):
    return rng.uniform(-1, 1, (n, 2, 8, 8)).astype(np.float32), rng.integers(0, 3, n)


def bits(model):
    return b"".join(value.tobytes() for value in model.state_dict().values())


def steps(make, batches, loss=mg.cross_entropy, optimizer=optim.AdamW, **options):
    """A model after a step on each batch; the losses and hits."""
    model = make()
    numbers = []
    with mg.TrainStep(model, loss, optimizer(model.parameters(), lr=0.01), **options) as step:
        for x, y in batches:
            numbers.append((step(x, y), step.hits))
        step.flush()
    return model, numbers


def part(array, rank, count):
    """What a rank gets of a batch: nothing, where there are more ranks than examples."""
    cuts = pieces(len(array), min(count, len(array)))
    return array[cuts[rank]] if rank < len(cuts) else array[:0]


def by_ranks(count, make, batches, **options):
    """The same as `steps`, for each of so many ranks, and the messages they sent."""
    ranks = Ranks(count)

    def work(rank, reduce):
        own = [(part(x, rank, count), part(y, rank, count)) for x, y in batches]
        return steps(make, own, reduce=reduce, rank=rank, **options)

    return ranks.run(work), ranks.messages


def check_alike(one, several):
    """Every rank has the same bits, and what one process has, to rounding."""
    model, numbers = one
    assert {bits(other) for other, _ in several} == {bits(several[0][0])}
    assert all(found == several[0][1] for _, found in several)
    for (loss, hits), (expected, expected_hits) in zip(several[0][1], numbers, strict=True):
        assert loss == pytest.approx(expected, rel=1e-5)
        assert hits == expected_hits
    state = several[0][0].state_dict()
    for name, value in model.state_dict().items():
        assert np.allclose(state[name], value, rtol=1e-3, atol=1e-5), name


MODELS = {
    "plain": network,
    "dropout": lambda: network(nn.Dropout(0.5)),
    "batch norm": lambda: network(nn.BatchNorm(4)),
    "a frozen layer": lambda: frozen(network()),
}


def frozen(model):
    for p in model[0].parameters():
        p.requires_grad = False
    return model


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.1}, {"accumulate": 2}], ids=str)
def test_so_many_ranks_are_one_process_with_so_many_workers(make, ranks, options):
    batches = [images(n) for n in (12, 13, 9)]
    one = steps(make, batches, workers=ranks, **options)
    several, _ = by_ranks(ranks, make, batches, **options)
    check_alike(one, several)


def test_a_channel_that_does_not_vary_has_no_variance_below_0():
    constants = np.linspace(0.5, 1e3, 300, dtype=np.float32)
    x = np.repeat(constants[None], 65, axis=0)  # of 65 rows, rounding takes some below 0
    batches = [(x, np.zeros(65, int))]
    several, _ = by_ranks(
        2, lambda: nn.Sequential(nn.BatchNorm(300, momentum=1)), batches, optimizer=optim.SGD
    )
    for model, _ in several:
        assert (model[0].running_var >= 0).all()


def test_two_ranks_with_two_workers_are_one_process_with_four():
    batches = [images(12), images(16)]
    make = MODELS["dropout"]
    several, _ = by_ranks(2, make, batches, workers=2)
    check_alike(steps(make, batches, workers=4), several)


def test_a_transform_draws_for_each_rank_what_it_draws_for_each_worker():
    x, y = images(40)
    loader = mg.data.DataLoader(x, y, transform=lambda x, rng: x + rng.normal(size=x.shape) / 9)
    options = {"transform": lambda *place: loader.transformed(*place).astype(np.float32)}
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    several, _ = by_ranks(2, network, batches, **options)
    check_alike(steps(network, batches, workers=2, **options), several)


def test_a_rank_without_examples_takes_part():
    batches = [images(12), images(2), images(3)]
    make = MODELS["dropout"]
    several, _ = by_ranks(4, make, batches)
    check_alike(steps(make, batches, workers=4), several)


def test_a_rank_whose_targets_are_all_ignored_takes_part():
    x, y = images(12)
    y[6:] = -100
    several, _ = by_ranks(2, network, [(x, y)])
    check_alike(steps(network, [(x, y)], workers=2), several)


def test_weights_of_classes_count_in_all_ranks_as_in_one():
    weigh = functools.partial(mg.cross_entropy, weight=np.float32([0.1, 1, 5]))
    batches = [images(13), images(7)]
    several, _ = by_ranks(3, network, batches, loss=weigh)
    check_alike(steps(network, batches, loss=weigh), several)


def test_hits_are_none_where_the_targets_are_not_classes():
    def make():
        return nn.Dense(2, 1, rng=np.random.default_rng(0))

    x = np.ones((4, 2), np.float32)
    several, _ = by_ranks(2, make, [(x, x[:, :1])], loss=mg.mse_loss)
    check_alike(steps(make, [(x, x[:, :1])], loss=mg.mse_loss), several)
    assert several[0][1][0][1] is None


def test_a_running_variance_is_exact_where_the_mean_is_far_from_0():
    x = (1000 + np.random.default_rng(0).normal(size=(64, 3))).astype(np.float32)
    y = np.zeros(64, int)

    def make():
        rng = np.random.default_rng(0)
        return nn.Sequential(nn.BatchNorm(3, momentum=1), nn.Dense(3, 2, rng=rng))

    (model, _), *_ = by_ranks(4, make, [(x, y)])[0]
    assert model[0].running_mean == pytest.approx(x.astype(float).mean(0), rel=1e-6)
    assert model[0].running_var == pytest.approx(x.astype(float).var(0, ddof=1), rel=1e-3)
    assert model[0].num_batches_tracked == 1


def test_a_step_is_two_messages_and_the_second_is_the_flat_gradient():
    size = sum(p.size for p in network().parameters())
    _, messages = by_ranks(2, network, [images(), images()])
    few = (np.dtype(float), (5 + len(network().parameters()),))
    assert messages == [few, (np.dtype(np.float32), (size,))] * 2


class Scaled(nn.Module):
    """Whose one weight is of float64, beside others of float32."""

    def __init__(self):
        self.inside = network()
        self.scale = nn.Parameter([2.0], dtype=np.float64)

    def forward(self, x):
        return self.inside(x) * self.scale


class Watched(optim.SGD):
    def step(self):
        self.dtypes = [p.grad.dtype for p in self.param_groups[0]["params"]]
        super().step()


def test_gradients_keep_the_dtypes_of_their_weights():
    model = Scaled()
    optimizer = Watched(model.parameters(), lr=0.1)
    with mg.TrainStep(
        model, mg.cross_entropy, optimizer, reduce=lambda array: None, rank=0
    ) as step:
        step(*images())
    assert set(optimizer.dtypes) == {np.dtype(np.float32), np.dtype(np.float64)}
    assert optimizer.dtypes == [p.dtype for p in model.parameters()]


def test_accumulated_batches_send_one_gradient():
    _, messages = by_ranks(2, network, [images(), images(), images()], accumulate=3)
    assert [dtype for dtype, _ in messages] == [float, float, float, np.float32]


class Sometimes(nn.Module):
    """Has a layer that only some batches use."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.always = nn.Dense(2, 3, rng=rng)
        self.rarely = nn.Dense(2, 3, rng=rng)
        self.never = nn.Dense(2, 3, rng=rng)

    def forward(self, x):
        y = self.always(x)
        return y + self.rarely(x) if (x.data > 1).any() else y


def test_a_layer_that_only_one_rank_uses_is_updated_on_all_and_an_unused_one_on_none():
    x = np.ones((4, 2), np.float32)
    x[0] = 2
    batches = [(x, np.array([0, 1, 2, 0])), (np.ones_like(x), np.array([0, 1, 2, 0]))]
    several, _ = by_ranks(2, Sometimes, batches)
    check_alike(steps(Sometimes, batches, workers=2), several)
    never = several[0][0].never.weight.data
    assert (never == Sometimes().never.weight.data).all()


# ---- failing -------------------------------------------------------------------------------------


def failing(count, make, batches, **options):
    """The error of each rank, after which no weight has changed."""
    before = bits(make())
    models = []

    def kept():
        models.append(make())
        return models[-1]

    errors, _ = by_ranks(count, kept, batches, **options)
    assert {bits(model) for model in models} == {before}
    return errors


class Overflows(nn.Module):
    """Gives infinity for an input above 1."""

    def __init__(self):
        self.dense = nn.Dense(2, 1, rng=np.random.default_rng(0))

    def forward(self, x):
        return self.dense(x) + np.where(x.data[:, :1] > 1, np.float32(np.inf), np.float32(0))


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_loss_that_is_not_finite_on_one_rank_is_so_on_all(bad):
    x = np.ones((9, 2), np.float32)
    x[3 * bad] = 2
    errors = failing(3, Overflows, [(x, x[:, :1])], loss=mg.mse_loss)
    assert [type(error) for error in errors] == [LossNotFinite] * 3
    assert "lower the learning rate" in str(errors[bad])
    assert all("on another rank" in str(errors[i]) for i in range(3) if i != bad)


def test_inputs_that_are_not_finite_are_named_by_the_rank_that_has_them():
    x, y = images(8)
    x[0] = np.nan
    errors = failing(2, network, [(x, y)])
    assert "because of NaN or infinity among the inputs x" in str(errors[0])
    assert isinstance(errors[1], RuntimeError)
    assert "this step failed on another rank" in str(errors[1])


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, MemoryError])
def test_whatever_ends_one_rank_in_a_step_ends_the_others(kind):
    ranks = Ranks(3)
    x, y = images(4)

    def work(rank, reduce):
        def loss(outputs, targets):
            if rank == 1:
                raise kind("enough")
            return mg.cross_entropy(outputs, targets)

        return steps(network, [(x, y)], loss=loss, reduce=reduce, rank=rank)

    errors = ranks.run(work)
    assert type(errors[1]) is kind
    assert all("this step failed on another rank" in str(errors[i]) for i in (0, 2))


def test_parts_of_different_lengths_are_refused_on_all_ranks():
    ranks = Ranks(2)

    def work(rank, reduce):
        x, y = images(4)
        return steps(network, [(x, y[rank:])], reduce=reduce, rank=rank)

    errors = ranks.run(work)
    assert isinstance(errors[0], RuntimeError)
    assert "a step needs x (N, ...), y (N, ...)" in str(errors[1])


def test_a_batch_of_which_nothing_counts_is_refused_on_all_ranks():
    x, y = images(4)
    errors = failing(2, network, [(x, np.full_like(y, -100))])
    assert all("expects targets that count" in str(error) for error in errors)


def test_a_batch_norm_that_is_called_twice_is_refused_on_all_ranks():
    norm = nn.BatchNorm(4)
    errors = failing(2, lambda: network(norm, nn.ReLU(), norm), [images()])
    assert all("expects to be called once in a step" in str(error) for error in errors)


def test_a_reduce_that_returns_the_sum_is_refused():
    with pytest.raises(TypeError, match="into the array and to return nothing"):
        steps(network, [images()], reduce=lambda array: 2 * array)


@pytest.mark.parametrize("options", [{"reduce": print}, {"rank": 1}])
def test_ranks_need_a_number_of_workers(options):
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="an integer where several ranks share a batch"):
        mg.TrainStep(model, mg.cross_entropy, optimizer, "auto", **options)


# ---- checkpoints ---------------------------------------------------------------------------------


def run_of(workers, reduce):
    """A Run of a training, with a step that ranks share or with one that they do not."""
    x, y = images(8)
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    step = mg.TrainStep(model, mg.cross_entropy, optimizer, workers, reduce=reduce)
    return Run(step, mg.data.DataLoader(x, y, 4), None, None, epochs=2, callbacks=[])


def test_a_checkpoint_of_ranks_demands_no_number_of_workers_and_fit_refuses_it(tmp_path):
    path = tmp_path / "run.npz"
    first = run_of(workers=2, reduce=print)
    first.begin(path, resume=False)
    first.end_batch(0.5, 8, 8, 8)
    first.end_epoch({})
    first.keep(path)
    again = run_of(workers=1, reduce=print)
    again.begin(path, resume=True)
    assert again.epoch == 1
    assert bits(again.model) == bits(first.model)
    with pytest.raises(ValueError, match="workers is None, expected 1"):
        run_of(workers=1, reduce=None).begin(path, resume=True)
