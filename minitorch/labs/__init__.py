"""The course's claims as experiments, each written once for either engine.

A lab is a module with

- ``TITLE``; ``QUESTION``: what it asks; ``CLAIM``: what the chapter says, in two sentences;
- ``run(torch, train, test, quick, seed, tick)``: its numbers, as tables (dicts of lists by column),
  where ``torch`` is minitorch or PyTorch. ``"summary"`` is the table to read and to compare between
  the engines; ``"claims"`` says what was expected, whether it was seen, and with which numbers;
- ``draw(result)``: yields a ``style.Picture`` for each thing to see, each of one or more tables;
- ``CODE``: the functions that a reader should see to believe it.
"""

LABS = {
    "backprop": "the chain rule written out by hand, beside autograd",
    "activations": "what an activation does to gradients in a deep network",
    "initialisation": "how weights should start: what reaches each layer, and what is learnt",
    "overfitting": "what a network learns by heart, and what dropout does about it",
    "batchnorm": "what normalising each batch changes, and what eval() is for",
    "optimizers": "what each optimizer makes of the same gradients",
    "rbm": "what a restricted Boltzmann machine learns, and whether it helps a classifier",
}
