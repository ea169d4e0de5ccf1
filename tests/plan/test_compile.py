"""``minitorch.compile`` as its users meet it: what is recorded again, refused, and kept."""

import warnings

import numpy as np
import pytest

import minitorch as torch
from minitorch.plan import Compiled, Refused

nn = torch.nn


def trained(compiled, steps=8, **options):
    """The losses of a small training run, and the model's state after it."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.3),
                          nn.Linear(6, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        scheduler.step()
        return loss

    run = torch.compile(step, **options) if compiled else step
    losses = [run(torch.randn(8, 4), torch.randint(0, 3, (8,))).item() for _ in range(steps)]
    return losses, [t.array.tolist() for t in model.state_dict().values()], run


def test_a_compiled_step_trains_as_the_step_does_bit_for_bit():
    """Dropout's stream, running statistics, clipping, Adam and a schedule are all in the plan."""
    losses, state, _ = trained(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert trained(True, fullgraph=True)[:2] == (losses, state)


def test_results_stay_when_the_step_runs_again():
    double = torch.compile(lambda x: x * 2)
    first = [double(torch.tensor([float(i)])) for i in range(4)]
    assert [y.item() for y in first] == [0, 2, 4, 6]


def test_a_learning_rate_set_from_outside_takes_effect_without_a_new_record():
    w = torch.tensor([0.0], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)

    @torch.compile
    def step(g):
        optimizer.zero_grad()
        (w * g).sum().backward()
        optimizer.step()

    for _ in range(4):
        step(torch.ones(1))
    count = len(step.plans)
    optimizer.param_groups[0]["lr"] = 10.0
    step(torch.ones(1))
    assert w.item() == -14 and len(step.plans) == count


def test_gradients_add_up_where_the_step_does_not_clear_them():
    w = torch.tensor([1.0], requires_grad=True)

    @torch.compile
    def step(x):
        (w * x).sum().backward()

    for i in range(5):
        step(torch.tensor([float(i)]))
    assert w.grad.item() == 0 + 1 + 2 + 3 + 4
    w.grad = None
    step(torch.tensor([7.0]))
    assert w.grad.item() == 7


@pytest.mark.parametrize("change", ["shape", "dtype", "number", "mode", "grad mode", "global",
                                    "attribute", "parameter"])
def test_what_the_step_goes_by_is_recorded_anew_when_it_changes(change):
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    scale = 2.0

    def forward(x, power=1):
        return model(x) * scale ** power

    compiled = torch.compile(forward)
    x, power, grad = torch.ones(3, 2), 1, True

    def both():
        with torch.set_grad_enabled(grad):
            torch.manual_seed(0)
            ours = compiled(x, power)
            torch.manual_seed(0)
            theirs = forward(x, power)
        assert torch.equal(ours, theirs) and ours.requires_grad == theirs.requires_grad

    for _ in range(3):
        both()
    if change == "shape":
        x = torch.ones(5, 2)
    elif change == "dtype":
        x, _ = x.double(), model.double()
    elif change == "number":
        power = 3
    elif change == "mode":
        model.eval()
    elif change == "grad mode":
        grad = False
    elif change == "global":
        scale = 0.5
    elif change == "attribute":
        model[1].p = 0.25
    else:
        model[0].weight.data = torch.full((2, 2), 9.0)
    for _ in range(3):
        both()
    assert len(compiled.plans) == 2


def test_too_many_records_are_warned_of_and_the_function_runs_as_it_is():
    scaled = torch.compile(lambda x, k: x * k)
    with pytest.warns(UserWarning, match="recorded 8 times"):
        found = [scaled(torch.ones(1), k).item() for k in range(9)]
    assert found == list(range(9))


def looks(x):
    if x.sum() > 0:
        return x
    return -x


def asks(x):
    return x * x.max().item()


def picks(x):
    return x[x > 0]


def grows(x, seen=[]):  # noqa: B006  (that it is kept between calls is the point)
    seen.append(x)
    return x * 2


@pytest.mark.parametrize(("function", "why"), [
    (looks, "its number"), (asks, "its number"), (picks, "indexing by a mask"),
    (grows, "length of a list"), (lambda x: x * torch.nonzero(x).shape[0], "shape depends"),
    (lambda x: x * torch.default_generator.random_int64(), "its number"),
])
def test_what_a_record_cannot_repeat_is_refused_with_its_line(function, why):
    x = torch.tensor([1.0, -2.0, 3.0])
    with pytest.raises(Refused, match=why) as caught:
        torch.compile(function, fullgraph=True)(x)
    if function is not grows:
        assert "test_compile.py:" in str(caught.value)
    relaxed = torch.compile(function)
    with pytest.warns(UserWarning, match=why):
        relaxed(x)
    for y in (x, -x, x * 2):
        torch.manual_seed(0)
        ours = relaxed(y)
        torch.manual_seed(0)
        assert torch.equal(ours, function(y))


def test_a_refusal_leaves_every_tensor_as_it_was():
    model = nn.BatchNorm1d(2)
    before = [t.clone() for t in model.state_dict().values()]

    def step(x):
        y = model(x)
        return y * y.sum().item()

    with pytest.raises(Refused):
        torch.compile(step, fullgraph=True)(torch.randn(4, 2))
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values()))


def test_a_closure_given_to_the_optimizer_is_refused():
    w = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with pytest.raises(Refused, match=r"optimizer\.step"):
        torch.compile(lambda: optimizer.step(closure), fullgraph=True)()
    assert w.item() == 1


@pytest.mark.parametrize("source", ["numpy", "python", "object"])
def test_numbers_from_elsewhere_are_found_out_at_the_second_call(source):
    """What changes beside tensors is not in the record: a replay then differs from the step."""
    rng = np.random.default_rng(0)
    calls = iter(range(100))

    def noise():
        return rng.normal() if source == "numpy" else float(next(calls))

    holder = [torch.zeros(1)]

    def step(x):
        if source != "object":
            return x + noise()
        holder[0] = holder[0].detach() + x
        return holder[0]

    compiled = torch.compile(step)
    compiled(torch.ones(1))
    with pytest.warns(UserWarning, match="runs as it is"):
        compiled(torch.ones(1))
    calls = iter(range(5, 100))
    assert source != "python" or compiled(torch.ones(1)).item() == 6
    assert source != "object" or compiled(torch.ones(1)).item() == 3


def test_arguments_that_are_written_into_are_the_callers():
    add = torch.compile(lambda x, y: x.add_(y))
    x = torch.zeros(3)
    for _ in range(4):
        add(x, torch.ones(3))
    assert x.tolist() == [4, 4, 4]


def test_checks_of_data_are_part_of_a_replay():
    loss = torch.compile(nn.functional.cross_entropy)
    for _ in range(3):
        loss(torch.randn(2, 3), torch.tensor([0, 2]))
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        loss(torch.randn(2, 3), torch.tensor([0, 3]))


def test_arguments_may_be_trees_and_results_too():
    def f(batch, *, scale):
        return {"sum": batch["x"] + batch["y"][0], "pair": (batch["x"] * scale, None, 3)}

    compiled = torch.compile(f)
    for k in range(4):
        batch = {"x": torch.full((2,), float(k)), "y": [torch.ones(2)]}
        out = compiled(batch, scale=2)
        assert out["sum"].tolist() == [k + 1] * 2
        assert out["pair"][0].tolist() == [2 * k] * 2 and out["pair"][1:] == (None, 3)


def test_a_compiled_function_inside_a_recorded_one_is_noted_with_it():
    inner = torch.compile(lambda x: x * 3)
    outer = torch.compile(lambda x: inner(x) + 1)
    assert [outer(torch.tensor(float(k))).item() for k in range(4)] == [1, 4, 7, 10]
    assert len(outer.plans[0].notes) == 2


def test_explain_shows_calls_memory_times_and_lines_and_changes_nothing():
    _, _, step = trained(True)
    text = step.explain(3)
    assert "linear backward" in text and "Adam" in text and "test_compile.py:" in text
    assert " us" in text and "kB for values" in text
    with pytest.raises(RuntimeError, match="call it once"):
        torch.compile(looks).explain()


def test_compile_is_a_decorator_with_options_and_can_be_switched_off():
    assert isinstance(torch.compile(mode="reduce-overhead")(looks), Compiled)
    assert torch.compile(looks, disable=True) is looks
    assert torch.compile(looks).__name__ == "looks"


class Hidden:
    """A tensor where no walk over attributes and closures finds it."""

    __slots__ = ("tensor",)

    def __init__(self, tensor):
        self.tensor = tensor


def test_a_leaf_that_cannot_be_found_is_refused_and_not_forgotten():
    hidden = Hidden(torch.ones(2, requires_grad=True))
    step = torch.compile(lambda x: (hidden.tensor * x).sum().backward())
    with pytest.warns(UserWarning, match="pass it as an argument"):
        step(torch.ones(2))
    step(torch.ones(2))
    assert hidden.tensor.grad.tolist() == [2, 2]
