"""Deep generative priors for probabilistic audio source separation.

>>> import audiopriors
>>> prior = audiopriors.shipped()["toy"].load("sine")  # doctest: +SKIP
>>> prior.log_prob(x, sigma=0.129)  # doctest: +SKIP
>>> audiopriors.load_prior("results/quick/priors/toy/flowavenet/sine/0/seed0.safetensors")  # doctest: +SKIP
"""


def __getattr__(name: str):
    # torch takes seconds to import; the workflow files, which only need the config, do without it.
    if name == "load_prior":
        from .checkpoints import load_prior

        return load_prior
    if name == "shipped":
        from .shipped_priors import shipped

        return shipped
    raise AttributeError(f"module 'audiopriors' has no attribute '{name}'")
