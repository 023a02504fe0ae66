"""Draws how a training went: `python report.py FOLDER`.

Reads two files that `train.py` leaves in FOLDER:

history.json    {"loss": [[step, loss], ...],          one pair for each logged step of the training
                 "epochs": [{"step": ..., "train_accuracy": ..., "test_accuracy": ...}, ...]}
                accuracies from 0 to 1; further keys are ignored
mistakes.npz    images (n, 28, 28) of uint8 or of floats from 0 to 1, with n >= 1; truth (n,) and
                predicted (n,), digits; confidence (n,), the probability that was given to the prediction

and writes curves.png and mistakes.png beside them.
"""

import json
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

INK, FAINT, GRID, PAPER = "#1f2933", "#7b8794", "#e4e7eb", "#ffffff"
TRAIN, TEST, WRONG = "#2f6fb0", "#d1495b", "#d1495b"
SHOWN = 12
STEPS = [1, 2, 5, 10]

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
}


def smooth(values, weight):
    """The exponential moving average, corrected for its start."""
    average, total, smoothed = 0.0, 0.0, []
    for value in values:
        average = weight * average + (1 - weight) * value
        total = weight * total + (1 - weight)
        smoothed.append(average / total)
    return np.array(smoothed)


def headline(ax, title, subtitle):
    ax.text(0, 1.12, title, transform=ax.transAxes, fontsize=14, fontweight="bold")
    ax.text(0, 1.045, subtitle, transform=ax.transAxes, fontsize=10.5, color=FAINT)


def draw_loss(ax, history):
    steps, loss = np.array(history["loss"], dtype=float).T
    weight = 0.9 if len(loss) > 100 else 0.6
    ax.plot(steps, loss, color=TRAIN, alpha=0.22, linewidth=0.9)
    ax.plot(steps, np.exp(smooth(np.log(np.maximum(loss, 1e-8)), weight)), color=TRAIN, linewidth=2.2)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    ax.grid(which="minor", visible=False)
    ax.tick_params(which="minor", length=0)
    ax.set_ylim(bottom=max(loss.min() * 0.8, 1e-4))
    headline(ax, "Loss", "cross-entropy of each logged step, and its moving geometric mean")


def draw_accuracy(ax, history):
    epochs = history["epochs"]
    steps = [epoch["step"] for epoch in epochs]
    ends = []
    for key, color, name in (("train_accuracy", TRAIN, "training"), ("test_accuracy", TEST, "test")):
        values = [100 * epoch[key] for epoch in epochs]
        ax.plot(steps, values, color=color, linewidth=2.2, marker="o", markersize=6.5, markeredgecolor=PAPER,
                markeredgewidth=1.4, clip_on=False, zorder=3)
        ends.append((values[-1], name, color))
    low, high = ax.get_ylim()
    gap = 0.06 * (high - low)
    ends.sort()
    places = [ends[0][0], max(ends[1][0], ends[0][0] + gap)]
    shift = (sum(places) - sum(end[0] for end in ends)) / 2
    for place, (value, name, color) in zip(places, ends):
        ax.annotate(f"{name}  {value:.2f} %", (steps[-1], place - shift), xytext=(12, 0), textcoords="offset points",
                    color=color, fontweight="bold", va="center", annotation_clip=False)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g} %"))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
    headline(ax, "Accuracy", "after each epoch")


def draw_curves(history, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.9))
    figure.subplots_adjust(left=0.05, right=0.865, top=0.81, bottom=0.12, wspace=0.16)
    draw_loss(left, history)
    draw_accuracy(right, history)
    for ax in (left, right):
        ax.grid(axis="x", visible=False)
        ax.set_xlim(0, history["epochs"][-1]["step"])
        ax.set_xlabel("training step")
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=STEPS, integer=True))
    figure.savefig(path, dpi=160)
    plt.close(figure)


def draw_mistakes(mistakes, path):
    """The wrong predictions that the network was surest of."""
    order = np.argsort(-mistakes["confidence"], kind="stable")[:SHOWN]
    columns = 6
    rows = max(-(-len(order) // columns), 1)
    figure, axes = plt.subplots(rows, columns, figsize=(13, 2.62 * rows + 0.95), squeeze=False)
    height = figure.get_size_inches()[1]
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.22 / height, top=1 - 1.42 / height, wspace=0.14,
                           hspace=0.3)
    for ax in axes.flat:
        ax.axis("off")
    for ax, index in zip(axes.flat, order):
        ax.imshow(mistakes["images"][index].reshape(28, 28), cmap="gray_r", interpolation="nearest")
        ax.add_patch(plt.Rectangle((-0.5, -0.5), 28, 28, fill=False, edgecolor=GRID, linewidth=2))
        truth, predicted = int(mistakes["truth"][index]), int(mistakes["predicted"][index])
        ax.text(-0.5, -1.9, f"{predicted}", color=WRONG, fontsize=17, fontweight="bold")
        ax.text(3.2, -1.9, f"{100 * mistakes['confidence'][index]:.0f} %", color=FAINT, fontsize=10.5)
        ax.text(27.5, -1.9, f"is {truth}", color=INK, fontsize=12, fontweight="bold", ha="right")
    place = (0.02, 1 - 0.42 / height)
    figure.text(*place, f"The network's {len(order)} surest mistakes", fontsize=14, fontweight="bold")
    figure.text(0.02, 1 - 0.72 / height, "red: what it said, and how sure it was; black: what the digit is", fontsize=10.5,
                color=FAINT)
    figure.savefig(path, dpi=160)
    plt.close(figure)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python report.py FOLDER")
    folder = Path(sys.argv[1])
    history = json.loads((folder / "history.json").read_text())
    with plt.rc_context(STYLE), np.load(folder / "mistakes.npz", allow_pickle=False) as mistakes:
        draw_curves(history, folder / "curves.png")
        draw_mistakes(mistakes, folder / "mistakes.png")
    print(f"pictures: {os.path.relpath(folder / 'curves.png')}, {os.path.relpath(folder / 'mistakes.png')}")


if __name__ == "__main__":
    main()
