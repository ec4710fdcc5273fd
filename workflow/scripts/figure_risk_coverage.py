"""What does refusing buy? The share of wrong particles among those accepted, as the accepted misfit grows."""

import pandas as pd
from audiopriors import files, plotting, risk


def draw(settings, inputs):
    rows = files.read_rows(inputs)
    shown = [(key, group) for key, group in rows.groupby(["method", "prior"], sort=False)]
    figure, panels = plotting.wrapped(len(shown), 3, 3, margin=1.2, sharex=True, sharey=True)
    mixes, curves = list(rows["mix"].unique()), []
    for axes, ((method, prior), group) in zip(panels.flat, shown, strict=False):
        for mix, some in group.groupby("mix", sort=False):
            number = mixes.index(mix)
            accepted, wrong = risk.curve(some["misfit"].to_numpy(), some["worst_si_sdr"].to_numpy())
            colour = plotting.PALETTE[number]
            axes.step(accepted, wrong, where="post", color=colour, label=plotting.title(settings, mix))
            kept = accepted[: int((some["misfit"] <= some["accept"]).sum())]
            if len(kept):
                axes.plot(kept[-1], wrong[len(kept) - 1], plotting.MARKERS[number], color=colour, clip_on=False)
            curves.append(
                pd.DataFrame({"method": method, "prior": prior, "mix": mix, "accepted": accepted, "wrong": wrong})
            )
        axes.set(xlim=(0, 1), ylim=(-0.02, 1))
        axes.set_title(f"{plotting.title(settings, method)}\n{plotting.title(settings, prior)}")
    plotting.label_lowest(panels, "share of particles accepted")
    figure.supylabel("share of these that are wrong")
    plotting.legend(figure, *panels.flat)
    return figure, pd.concat(curves, ignore_index=True)


if __name__ == "__main__":
    plotting.program(__doc__, draw)
