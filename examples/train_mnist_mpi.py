"""Train a network on MNIST with several processes, on one machine or on several, by MPI.

Each process, or rank, has a replica of the model and a share of the digits. It computes the
gradient of its part of each batch; MPI's Allreduce adds these up, and all ranks make the same
update. The batches, their order, and the recipe of each model are those of train_mnist.py, and so
is the curve, to rounding: N ranks compute what one process does with N workers.

  pip install -e '.[examples,mpi]'
  OPENBLAS_NUM_THREADS=1 mpiexec -n 4 python examples/train_mnist_mpi.py
  OPENBLAS_NUM_THREADS=1 mpiexec -n 2 python examples/train_mnist_mpi.py --resume

Rank 0 alone reads the digits and deals them out, prints, evaluates and writes. Files in --out:
  run.npz         after each epoch, what it takes to --resume, with any number of ranks
  model.npz       the weights at the end, which minigrad.load reads
  metrics.json    loss and accuracy of each epoch and on the test set, and all that was chosen

docs/several-machines.md tells how to run it on several machines, and where that pays.
"""

import io
import sys
import time
import traceback
import zlib
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import redirect_stderr

import numpy as np
from digits import load_digits
from models import MODELS
from report import write_json
from train_mnist import RECIPES, whole

import minigrad as mg
from minigrad import data
from minigrad.progress import Progress
from minigrad.run import Run
from minigrad.shards import pieces

try:
    from mpi4py import MPI
except (ImportError, RuntimeError) as error:  # a RuntimeError where it finds no MPI
    sys.exit(f"{error}: pip install 'minigrad-numpy[mpi]' brings mpi4py and MPI, which it needs.")


def main(comm, argv=None):
    if comm.rank > 0:
        sys.stdout = io.StringIO()  # which nobody reads
    with redirect_stderr(sys.stdout if comm.rank > 0 else sys.stderr):
        args = arguments(argv)
    share, held, test, args.data = deal(comm, args)
    mg.manual_seed(args.seed)
    model = MODELS[args.model]()
    print(f"model: {args.model}; {comm.size} rank(s) with {args.workers} worker(s)")
    history = train(comm, model, share, held, args)
    if comm.rank == 0:
        numbers = {f"test_{name}": value for name, value in mg.evaluate(model, test).items()}
        mg.save(f"{args.out}/model.npz", model)
        write_json(f"{args.out}/metrics.json", numbers | history | vars(args))
        note = ", on SYNTHETIC digits: no result on MNIST" if args.data == "synthetic" else ""
        print(f"{args.model}: {numbers['test_accuracy']:.2%} of the test set right{note}")


# ---- the digits, and who has them ----------------------------------------------------------------


def deal(comm, args):
    """This rank's share of the digits; rank 0 also gets those for validation and test.

    Of R ranks, rank r holds the digits r, r + R, r + 2 R, ..., as bytes.
    """
    dealt = None
    if comm.rank == 0:
        train, test, kind = load_digits(args.data)
        train, held = data.split(*train, validation=0.1, seed=args.seed)
        held, test = ((data.normalize(images), labels) for images, labels in (held, test))
        shares = [[array[rank :: comm.size] for array in train] for rank in range(comm.size)]
        dealt = [(share, None, None, kind) for share in shares]
        dealt[0] = (shares[0], held, test, kind)
    return comm.scatter(dealt)


def parts_of(batch, count):
    """A batch in `count` parts, as so many workers would cut it; the last may be empty."""
    cuts = pieces(len(batch), min(count, len(batch)))
    return [batch[cut] for cut in cuts] + [batch[:0]] * (count - len(cuts))


def fetch(comm, share, batches):
    """This rank's parts of the batches of an epoch: each batch's whole size, images, labels.

    Every rank knows the order of the epoch, so it knows which of its digits the others need: they
    are exchanged once, before the first batch.
    """
    parts = [list(of_rank) for of_rank in zip(*[parts_of(batch, comm.size) for batch in batches])]
    needs = [np.concatenate(of_rank) for of_rank in parts]
    places = [i[i % comm.size == comm.rank] // comm.size for i in needs]  # in this rank's share
    received = comm.alltoall([[array[i] for array in share] for i in places])
    order = np.argsort(needs[comm.rank] % comm.size, kind="stable")  # that they come in
    found = [np.concatenate(arrays)[np.argsort(order)] for arrays in zip(*received)]
    ends = np.cumsum([len(part) for part in parts[comm.rank]])[:-1]
    return zip(map(len, batches), *[np.split(array, ends) for array in found])


# ---- training ------------------------------------------------------------------------------------


def train(comm, model, share, held, args):
    def shifted(images, rng):
        shift = rng.integers(-args.shift, args.shift + 1, size=2)
        return np.roll(data.normalize(images), shift, axis=(2, 3))

    def add_up(array):
        comm.Allreduce(MPI.IN_PLACE, array)

    digits = np.arange(comm.allreduce(len(share[0])))  # the numbers of those of all ranks
    loader = data.DataLoader(digits, None, args.batch_size, seed=args.seed, transform=shifted)
    optimizer = mg.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=args.decay)
    schedule = mg.optim.OneCycleLR(optimizer, args.lr, args.epochs * len(loader))
    extra = {"transform": loader.transformed, "reduce": add_up, "rank": comm.rank}
    path = f"{args.out}/run.npz" if comm.rank == 0 else None
    with mg.TrainStep(model, mg.cross_entropy, optimizer, args.workers, args.seed, **extra) as step:
        run = Run(step, loader, held, schedule, args.epochs, [Progress()])
        run.begin(path, args.resume and path is not None)
        run.epoch = comm.bcast(run.epoch)
        for part in (model, optimizer, schedule):
            part.load_state_dict(comm.bcast(part.state_dict()))
        while run.goes_on():
            run.begin_epoch()
            for count, x, y in fetch(comm, share, [batch for batch, _ in run.batches()]):
                run.end_batch(step(x, y), count, count, count)
            check_replicas(comm, model)
            run.end_epoch(mg.evaluate(model, held) if comm.rank == 0 else {})
            run.record(ranks=float(comm.size))
            run.call("on_epoch_end")
            if comm.rank == 0:
                run.keep(path)
    return run.history


def check_replicas(comm, model):
    """End all ranks if their weights are not the same, as might happen on unlike machines."""
    weights = b"".join(array.tobytes() for array in model.state_dict().values())
    if len(set(comm.allgather(zlib.crc32(weights)))) > 1:
        sys.exit(f"train_mnist_mpi.py: rank {comm.rank}: the weights differ from rank to rank")


# ---- options -------------------------------------------------------------------------------------


def arguments(argv):
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("--model", choices=MODELS, default="lenet", help="default: lenet")
    option("--epochs", type=whole, metavar="N", help="passes over the images (default: by model)")
    option("--batch-size", type=whole, metavar="N", help="images in a step, of all ranks together")
    option("--data", default="auto", help="auto (default), mnist, synthetic, a folder, a .csv")
    option("--seed", type=int, default=0, help="of split, weights, batches, dropout (default: 0)")
    option("--out", default="runs/mpi", help="folder (default: runs/mpi)")
    option("--workers", type=whole, default=1, help="threads of each rank (default: 1)")
    option("--resume", action="store_true", help="continue from the run.npz in --out")
    args = parser.parse_args(argv)
    recipe = RECIPES[args.model]
    args.epochs = args.epochs or recipe.epochs
    args.batch_size = args.batch_size or recipe.batch_size
    args.lr, args.decay, args.shift = recipe.lr, recipe.decay, recipe.shift
    return args


if __name__ == "__main__":
    try:
        main(MPI.COMM_WORLD)
    except (Exception, KeyboardInterrupt) as error:  # of this rank: the others would wait forever
        says_enough = isinstance(error, OSError | ValueError | RuntimeError)
        text = error if says_enough else traceback.format_exc()
        rank = MPI.COMM_WORLD.rank
        sys.stderr.write(f"train_mnist_mpi.py: rank {rank}: {text}\n")  # at once, as print is not
        time.sleep(1)  # in which the others say theirs, where a step has failed on all
        MPI.COMM_WORLD.Abort(1)
