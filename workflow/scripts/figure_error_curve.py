"""Denoising error of each prior that serves all noise levels, and the levels that a sampler's plan takes from it."""

import numpy as np
from audiopriors import files, plotting
from audiopriors.separation import schedules


def draw(settings, inputs):
    rows = files.read_rows(inputs)
    priors = list(rows["prior"].unique())
    figure, panels = plotting.grid(1, len(priors), 3.2, most=4.2, sharey=True)
    for axes, prior in zip(panels[0], priors, strict=True):
        curves = {}
        for source, look in plotting.style(settings["sources"]).items():
            chosen = rows[(rows["prior"] == prior) & (rows["prior_source"] == source)]
            if len(chosen):
                curves[source] = schedules.curve(chosen)
                error = 10 * np.log10(curves[source].relative.clip(1e-6))
                axes.plot(curves[source].sigmas, error, label=source, markersize=3, linewidth=1.2, **look)
        for plan in settings["plans"]:
            planned = schedules.plan(
                [curves[source] for source in settings["mix"]["sources"] if source in curves], **plan
            )
            axes.plot(planned.sigmas, np.full(len(planned.sigmas), 3.0), "|", color="0.3", markersize=7)
            for source, entry in zip(settings["mix"]["sources"], planned.entries, strict=False):
                axes.axvline(entry, color=plotting.style(settings["sources"])[source]["color"], linewidth=0.8, ls=":")
        axes.set_xscale("log")
        axes.set(title=plotting.title(settings, prior), xlabel="σ")
    panels[0, 0].set_ylabel("error relative to the source's power (dB)")
    panels[0, 0].legend()
    return figure, rows.groupby(["prior", "prior_source", "sigma"], sort=False)[["error", "power"]].mean().reset_index()


if __name__ == "__main__":
    plotting.program(__doc__, draw)
