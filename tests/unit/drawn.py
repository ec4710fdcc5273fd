"""Shared by the tests of figures: settings of two priors, three sources and two noise levels, and what is written."""

SOURCES, SIGMAS = ["a", "b", "c"], ["0", "0.1", "0.5"]
PRIORS = ["flow", "score"]  # of each sigma, with a published measure; of all sigmas, a density only
SETTINGS = {
    "sources": SOURCES, "sigmas": SIGMAS, "priors": PRIORS, "published": [], "joint_priors": {}, "exact": None,
    "data": {"kind": "toy", "settings": {}},
    "titles": {"flow": "a flow", "score": "a score prior (all σ)", "good": "a good method", "two": "two sources"},
    "families": {"flow": "flowavenet", "score": "score", "as_published": "flowavenet"}, "frame": 10,
    "mix": {"name": "two", "sources": ["a", "b"], "gains": [1, 1], "unison": 0, "noise": 0, "skip": 0},
}  # fmt: skip


def words(figure, kind):
    """What is written as `title`, `xlabel` or `ylabel` of the axes that are shown."""
    return {text for axes in figure.axes if axes.axison and (text := getattr(axes, f"get_{kind}")())}
