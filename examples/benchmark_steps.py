"""A training step in each library, for benchmark.py to measure.

A step is: forget the gradients, forward, mean cross-entropy, backward, Adam; in float32. It ends
when its loss is a float of Python's and the new weights are there. Each library gets the same
layers and the same batch, and keeps to two threads. TensorFlow and JAX get the images with channels
last, the order in which they are faster. Weights do not matter to speed: each draws its own.

Each function takes `build`, which makes the list of layers by the names that a library gives them,
and a batch; it returns a function that does one step or, if not `training`, one forward pass.
Libraries are imported inside, as each measurement is a process with one of them.
"""

THREADS = 2  # of each program


# ---- minigrad and PyTorch ------------------------------------------------------------------------


def minigrad_model(build):
    """The network in minigrad."""
    from minigrad import nn

    names = nn.Dense, nn.Conv2D, nn.MaxPool, nn.ReLU, nn.Dropout, nn.Flatten
    return nn.Sequential(*build(*names))


def minigrad_step(build, x, y, training, workers):
    """One worker leaves BLAS its own threads, two workers have a BLAS thread each."""
    import minigrad as mg

    model = minigrad_model(build)
    if not training:
        return lambda: mg.predict(model, x, batch_size=len(x) // workers, workers=workers)
    optimizer = mg.optim.Adam(model.parameters())
    step = mg.TrainStep(model, mg.cross_entropy, optimizer, workers=workers)
    return lambda: step(x, y)


def torch_step(build, x, y, training, fused):
    """Adam as one compiled function (fused), or as PyTorch's own operations."""
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)
    names = nn.Linear, nn.Conv2d, nn.MaxPool2d, nn.ReLU, nn.Dropout, nn.Flatten
    model = nn.Sequential(*build(*names))
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), fused=fused)
    if not training:
        model.eval()
        return torch.no_grad()(lambda: model(x))

    def step():
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value.item()

    return step


# ---- TensorFlow and JAX --------------------------------------------------------------------------


def channels_last(x):
    """(N, C, H, W) to (N, H, W, C); rows of pixels stay as they are."""
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


def tensorflow_step(build, x, y, training):
    """A tf.function: Keras' `train_on_batch` is not faster, XLA takes ten times as long for W4."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    keras = tf.keras
    model = keras.Sequential(
        build(
            Dense=lambda inputs, outputs: keras.layers.Dense(outputs),
            Conv=lambda inputs, outputs, size: keras.layers.Conv2D(outputs, size),
            Pool=keras.layers.MaxPooling2D,
            ReLU=keras.layers.ReLU,
            Dropout=keras.layers.Dropout,
            Flatten=keras.layers.Flatten,
        )
    )
    x, y = tf.constant(channels_last(x)), tf.constant(y)
    model.build(x.shape)
    if not training:
        forward = tf.function(lambda x: model(x, training=False))
        return lambda: forward(x).numpy()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return lambda: float(train(x, y))


def jax_layers(build):
    """For each layer its weights, and a function of weights, x and a key; no key, no dropout."""
    import jax
    import numpy as np
    from jax import lax
    from jax import numpy as jnp

    rng = np.random.default_rng(0)

    def draw(*shape):
        bound = np.prod(shape[:-1]) ** -0.5
        weight = rng.uniform(-bound, bound, shape).astype(np.float32)
        return jnp.asarray(weight), jnp.zeros(shape[-1])

    def dense(w, x, key):
        return x @ w[0] + w[1]

    def conv(w, x, key):
        order = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, w[0], (1, 1), "VALID", dimension_numbers=order) + w[1]

    def pool(size):
        window = (1, size, size, 1)
        return lambda w, x, key: lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")

    def dropout(p):
        def drop(w, x, key):
            if key is None:
                return x
            return jnp.where(jax.random.bernoulli(key, 1 - p, x.shape), x / (1 - p), 0)

        return drop

    return build(
        Dense=lambda inputs, outputs: (draw(inputs, outputs), dense),
        Conv=lambda inputs, outputs, size: (draw(size, size, inputs, outputs), conv),
        Pool=lambda size: ((), pool(size)),
        ReLU=lambda: ((), lambda w, x, key: jax.nn.relu(x)),
        Dropout=lambda p: ((), dropout(p)),
        Flatten=lambda: ((), lambda w, x, key: x.reshape(len(x), -1)),
    )


def jax_step(build, x, y, training):
    """One compiled function, with Adam by hand, which may write into the old weights' memory."""
    import jax
    from jax import numpy as jnp

    weights, functions = zip(*jax_layers(build), strict=True)
    x, y = jnp.asarray(channels_last(x)), jnp.asarray(y)

    def scores(weights, x, key=None):
        for i, (w, function) in enumerate(zip(weights, functions, strict=True)):
            x = function(w, x, None if key is None else jax.random.fold_in(key, i))
        return x

    if not training:
        forward = jax.jit(scores)
        return lambda: jax.block_until_ready(forward(weights, x))

    def loss(weights, x, y, key):
        log_p = jax.nn.log_softmax(scores(weights, x, key))
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()

    def train(weights, means, squares, count, x, y):
        count = count + 1
        key = jax.random.fold_in(jax.random.key(0), count)
        value, g = jax.value_and_grad(loss)(weights, x, y, key)
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, g)
        squares = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, squares, g)
        scale, root = 1 - 0.9**count, jnp.sqrt(1 - 0.999**count)
        weights = jax.tree.map(
            lambda w, m, s: w - 0.001 * (m / scale) / (jnp.sqrt(s) / root + 1e-8),
            *(weights, means, squares),
        )
        return value, (weights, means, squares, count)

    compiled = jax.jit(train, donate_argnums=(0, 1, 2, 3))
    zeros = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
    state = (weights, *zeros, jnp.zeros((), jnp.int32))

    def step():
        nonlocal state
        value, state = compiled(*state, x, y)
        jax.block_until_ready(state)
        return float(value)

    return step


STEPS = {
    "minigrad": minigrad_step,
    "torch": torch_step,
    "tensorflow": tensorflow_step,
    "jax": jax_step,
}
