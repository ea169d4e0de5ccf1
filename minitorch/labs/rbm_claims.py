"""What the lab on RBMs found: a number a row, and what was claimed of them."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean as mean
from typing import Any

from minitorch.labs.networks import Table, add, pick
from minitorch.labs.rbm_exact import STEPS

TARGET = 0.05  # how often hidden units shall be on


def errors(table: Table) -> dict[tuple[int, str], float]:
    """The mean fraction of wrong answers, by number of labels and start."""
    return {(count, start): 1 - mean(pick(table, "accuracy", labels=count, start=start))
            for count, start in dict.fromkeys(zip(table["labels"], table["start"]))}


def summary(result: dict[str, Any]) -> Table:
    """What was measured.

    Training draws its samples: where rounding differs between engines, a draw close to its
    threshold does, and from there on their RBMs part, alike only on average.
    """
    table: Table = {}
    for model, test in zip(result["likelihood"]["model"], result["likelihood"]["test"]):
        add(table, what=f"log-likelihood of test images, nats: {model}", value=test)
    for target in None, TARGET:
        add(table, what=f"hidden units on, {f'target {target:.0%}' if target else 'no target'}",
            value=mean(pick(result["activity"], "on", target=target)))
    n, betas, exact, found, _ = list(zip(*result["ais"].values()))[-1]
    add(table, what=f"log Z of {n} hidden units, exact", value=exact)
    add(table, what=f"log Z of {n} hidden units, by AIS in {betas:,} steps", value=found)
    for k in STEPS[:3]:
        add(table, what=f"relative bias of CD-{k}'s gradient, after training",
            value=pick(result["gradient"], "bias", when="after", k=k)[0])
    for (count, start), error in errors(result["labels"]).items():
        add(table, what=f"accuracy with {count:,} labels, {start} weights", value=1 - error)
    return table


def claims(result: dict[str, Any]) -> Table:
    """What was expected, the numbers that speak to it, and whether they bear it out."""
    table: Table = {}
    rows = {row[0]: row for row in zip(*(result["likelihood"][c]
                                         for c in ("model", "test", "error")))}

    def better(a: str, b: str) -> bool:
        """By more than two standard errors of both estimates together."""
        return bool(rows[a][1] - rows[b][1] > 2 * (rows[a][2] ** 2 + rows[b][2] ** 2) ** 0.5)

    def nats(*models: str) -> str:
        return ", ".join(f"{m} {rows[m][1]:.1f} ± {rows[m][2]:.1f}" for m in models) + " nats"

    for model, base in ("CD-1", "independent pixels"), ("Gaussian RBM", "independent Gaussians"):
        add(table, claim=f"unseen images are likelier under a {model.split()[0]} machine than with "
            f"independent pixels", seen=better(model, base), numbers=nats(model, base))
    add(table, claim="persistent chains give a better likelihood than CD-1 (Tieleman 2008)",
        seen=better("PCD", "CD-1"), numbers=nats("PCD", "CD-1"))

    low, high = min(result["ais"]["betas"]), max(result["ais"]["betas"])
    few, best = ([row for row in zip(*result["ais"].values()) if row[1] == betas]
                 for betas in (low, high))
    off = [(found - exact) / error for _, _, exact, found, error in best]
    add(table, claim=f"AIS with {high:,} steps gives the exact log Z within 3 standard errors",
        seen=max(map(abs, off)) < 3, numbers="off by " + ", ".join(
            f"{row[3] - row[2]:+.2f} ± {row[4]:.2f}" for row in best) + " nats")
    add(table, claim=f"with only {low} steps it finds too little",
        seen=all(found < exact for _, _, exact, found, _ in few),
        numbers="off by " + ", ".join(f"{row[3] - row[2]:+.1f}" for row in few) + " nats")

    for when in "before", "after":
        at = {c: pick(result["gradient"], c, when=when) for c in ("bias", "cosine", "sampled")}
        add(table, claim=f"CD-1 climbs the likelihood, {when} training: its gradient's cosine to "
            f"the exact one is positive", seen=min(at["cosine"][0], at["sampled"][0]) > 0,
            numbers=f"{at['cosine'][0]:.3f} expected, {at['sampled'][0]:.3f} in one sample")
        add(table, claim=f"CD-k comes closer as k grows, {when} training",
            seen=all(a > b or b < 1e-9 for a, b in pairwise(at["bias"])),
            numbers="relative bias " + ", ".join(f"{b:.1e} (k={k})"
                                                 for k, b in zip(STEPS, at["bias"])))

    free, held = (mean(pick(result["activity"], "on", target=t)) for t in (None, TARGET))
    wrong = [pick(result["activity"], "error", target=t)[0] for t in (None, TARGET)]
    add(table, claim=f"with a sparsity target of {TARGET:.0%}, units are on that often (within a "
        "fifth of it)", seen=abs(held - TARGET) < TARGET / 5,
        numbers=f"{held:.1%}, without a target {free:.1%}; reconstruction error {wrong[1]:.4f} "
        f"and {wrong[0]:.4f}")

    found = errors(result["labels"])
    for count in dict.fromkeys(result["labels"]["labels"]):
        own, *others = (found[count, start] for start in ("pre-trained", "nn.Linear", "xavier"))
        add(table, claim=f"{count:,} labels: pre-training spares a tenth of the errors or more",
            seen=own < 0.9 * min(others), numbers=f"{own:.1%} errors, without it "
            f"{others[0]:.1%} (nn.Linear's weights), {others[1]:.1%} (Xavier's)")
    return table
