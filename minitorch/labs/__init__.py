"""The course's claims as experiments: each lab has ``run`` (numbers) and ``draw`` (a picture).

A lab is a module: ``run(torch, train, test, quick, seed)`` returns tables, each a dict of lists by
column, and under ``"claims"`` what was expected and what was seen; ``torch`` is minitorch or
PyTorch. ``draw(result, path)`` makes the picture of them.
"""

LABS = {
    "activations": "what an activation does to gradients in a deep network",
}
