"""Hierarchies in the Poincaré ball. Nothing here knows Kedro; the pipelines are in `terrarium.pipelines.hyperbolic`.

Where to look:

    options/      every parameter, by stage
    geometry/     distance, detour, conversion between polar and ball coordinates; rounding
    data/         read.py: the sources; build.py: taxa, edges and the closure; holdout.py: what is held out of training
    layouts/      target radii, initial layouts, and the constructed layout that needs no training
    training/     sampling/: the pairs of an epoch and their negatives; torch/: the losses and the optimizer in PyTorch;
                  cpu/: the same with gradients, compiled; radii.py: the quality at several largest radii
    evaluation/   reconstruction.py: MAP and mean rank (counted in kernels/); distortion, separation, purity,
                  held-out taxa and links; misplaced taxa; compare.py: all of them for several layouts
    placement/    place.py: a new item from a few relatives; rules.py: the same by the tree alone
    associations/ points for hosts, traits or annotations, next to baselines
    use/          neighbours, ancestors and probabilities of a finished layout, outside Kedro
    reporting/    figures and the HTML report
    legacy/       only what the reference recipes v0 to v2 need

For a new loss: add its name and options to `options/training.py`, its formula to `training/torch/objectives.py`, and
its gradient to `training/cpu/`; the tests compare the two.
"""
