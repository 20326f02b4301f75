"""Charts of the figure page, by matplotlib without a screen; equal input gives equal bytes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from inference.training.evaluation.calibration import Curve
from inference.training.metrics import Interval

__all__ = ["Example", "Roc", "draw_dice", "draw_examples", "draw_reliability", "draw_roc"]

COLOURS = {"ggo": "#b8960c", "consolidation": "#c6333a", "effusion": "#1f8f61",
           "infection": "#3a6ea5"}  # fmt: skip
"""The window's colours, darker: the page is white."""
_LINES = ("#3a6ea5", "#c6333a", "#1f8f61", "#7a4fa3", "#b8960c", "#555555", "#d0721f", "#2a9d9d")
_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "secondread", "font.size": 9, "axes.spines.top": False,
             "axes.spines.right": False}  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Roc:
    """One ROC curve: truth and scores of length n, area with its interval."""

    label: str
    truth: NDArray[np.bool_]
    scores: NDArray[np.float64]
    area: Interval


@dataclass(frozen=True, eq=False, slots=True)
class Example:
    """A slice with the outlines of what is there and of what was found.

    Parameters
    ----------
    title
        Above the pair.
    picture
        Shape (rows, columns), uint8.
    truth, found
        By manifestation, bool masks of the same shape.
    """

    title: str
    picture: NDArray[np.uint8]
    truth: Mapping[str, NDArray[np.bool_]]
    found: Mapping[str, NDArray[np.bool_]]


def _save(canvas: Canvas, path: Path) -> None:
    FigureCanvasAgg(canvas)
    # Without a date the same figures give the same file.
    metadata: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    canvas.savefig(path, metadata=metadata, dpi=110)


def draw_roc(curves: Sequence[Roc], path: Path) -> None:
    """Draw ROC curves into one chart."""
    with mpl.rc_context(_SETTINGS):
        canvas = Canvas(figsize=(5.6, 5.2), layout="constrained")
        axes = canvas.add_subplot()
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
        for colour, curve in zip(itertools.cycle(_LINES), curves, strict=False):
            false, true, _ = roc_curve(curve.truth, curve.scores)
            area = curve.area
            label = f"{curve.label}: {area.value:.2f} [{area.low:.2f}, {area.high:.2f}]"
            axes.plot(false, true, color=colour, linewidth=1.6, label=label)
        axes.set(xlabel="1 − specificity", ylabel="sensitivity", aspect="equal",
                 xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))  # fmt: skip
        axes.legend(title="AUC with 95 % interval", loc="lower right", frameon=False)
        _save(canvas, path)


def draw_reliability(curves: Sequence[Curve], path: Path) -> None:
    """Draw reliability diagrams, a panel a class, before and after calibration."""
    names = list(dict.fromkeys((c.model, c.task, c.class_name) for c in curves))
    with mpl.rc_context(_SETTINGS):
        columns = min(3, len(names))
        lines = -(-len(names) // columns)
        canvas = Canvas(figsize=(3.2 * columns, 3.3 * lines), layout="constrained")
        panels = [[c for c in curves if (c.model, c.task, c.class_name) == name] for name in names]
        fullest = max(range(len(panels)), key=lambda k: len(panels[k]))
        for number, panel in enumerate(panels):
            axes = canvas.add_subplot(lines, columns, number + 1)
            _reliability(axes, panel, legend=number == fullest)
        _save(canvas, path)


def _reliability(axes: Axes, curves: Sequence[Curve], legend: bool) -> None:
    first = curves[0]
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
    for curve in curves:
        value = np.array([b.value for b in curve.bins])
        observed = np.array([b.observed for b in curve.bins])
        reach = np.abs(np.array([[b.low, b.high] for b in curve.bins]).T - observed)
        axes.errorbar(
            value, observed, yerr=reach, marker="o", markersize=4, capsize=2,
            color=_LINES[0] if curve.calibrated else "#999999",
            linestyle="-" if curve.calibrated else "--",
            label="calibrated" if curve.calibrated else "as the network says",
        )  # fmt: skip
    what = first.class_name if first.class_name != "all" else "the three together"
    axes.set_title(f"{first.model}, {first.task}\n{what}\nn {first.n}, groups {first.groups}",
                   fontsize=8)  # fmt: skip
    axes.set(xlabel="probability", ylabel="observed share", aspect="equal",
             xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))  # fmt: skip
    if legend:
        axes.legend(frameon=False, fontsize=7, loc="upper left")


def draw_dice(
    dice: Mapping[str, Mapping[str, Mapping[str, NDArray[np.float64]]]], path: Path
) -> None:
    """Draw each slice's Dice.

    Parameters
    ----------
    dice
        By class, form and split: one value a slice that has the class.
    path
        The file.
    """
    with mpl.rc_context(_SETTINGS):
        canvas = Canvas(figsize=(2.6 * len(dice), 3.6), layout="constrained")
        shared: Axes | None = None
        for number, (name, forms) in enumerate(dice.items(), 1):
            axes = canvas.add_subplot(1, len(dice), number, sharey=shared)
            shared = shared or axes
            for place, splits in enumerate(forms.values()):
                for values, shift, filled in zip(
                    splits.values(), (-0.18, 0.18), (True, False), strict=False
                ):
                    # A fixed spread, so that points at one height do not hide each other.
                    spread = (np.arange(len(values)) % 5 - 2) * 0.025
                    colour = COLOURS.get(name, _LINES[0])
                    face = colour if filled else "none"
                    axes.scatter(place + shift + spread, values, s=16, facecolors=face,
                                 edgecolors=colour, linewidths=0.9)  # fmt: skip
                    if len(values):
                        centre = float(values.mean())
                        axes.hlines(centre, place + shift - 0.13, place + shift + 0.13,
                                    color="#222222", linewidth=1.4)  # fmt: skip
            axes.set_title(name, fontsize=9)
            axes.set_xticks(range(len(forms)), list(forms))
            axes.set_ylim(-0.03, 1.0)
        if shared is not None:
            shared.set_ylabel("Dice")
        _save(canvas, path)


def draw_examples(examples: Sequence[Example], path: Path) -> None:
    """Draw pairs of a slice: left what is there, right what was found."""
    with mpl.rc_context(_SETTINGS):
        canvas = Canvas(figsize=(8.4, 4.4 * len(examples)), layout="constrained")
        for number, example in enumerate(examples):
            for side, masks in enumerate((example.truth, example.found)):
                axes = canvas.add_subplot(len(examples), 2, 2 * number + side + 1)
                axes.imshow(example.picture, cmap="gray", vmin=0, vmax=255)
                for name, mask in masks.items():
                    if mask.any():
                        axes.contour(mask, levels=[0.5], colors=[COLOURS[name]], linewidths=1.2)
                axes.set_axis_off()
                axes.set_title(f"{example.title}: {('known', 'found')[side]}", fontsize=9)
        _save(canvas, path)
