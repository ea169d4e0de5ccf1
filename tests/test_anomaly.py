"""``detect_anomaly`` names the first bad operator, its line in the user's file, its inputs."""

import pytest

import minitorch


def test_a_rule_that_makes_an_infinity_is_named_with_its_line_and_input():
    x = minitorch.tensor([4.0, 0.0, 9.0], requires_grad=True)
    with minitorch.autograd.detect_anomaly():
        y = x.sqrt()  # this line
        with pytest.raises(RuntimeError) as info:
            y.sum().backward()
    text = str(info.value)
    assert "'SqrtBackward0' returned inf" in text and "(1,)" in text
    assert "test_anomaly.py" in text and "y = x.sqrt()  # this line" in text
    assert "x[1] = 0" in text


def test_the_first_bad_value_of_the_forward_pass_is_named():
    x = minitorch.tensor([[1.0, 2.0], [-3.0, 4.0]], requires_grad=True)
    with minitorch.autograd.detect_anomaly():
        y = x.log()  # nan here
        z = (y * 2).exp()
        with pytest.raises(RuntimeError) as info:
            z.mean().backward()
    text = str(info.value)
    assert "'log'" in text and "nan at index (1, 0)" in text and "x[1, 0] = -3" in text
    assert "y = x.log()  # nan here" in text


def test_a_masked_infinity_of_the_forward_pass_alone_is_no_anomaly():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    mask = minitorch.tensor([False, True])
    with minitorch.autograd.detect_anomaly():
        x.masked_fill(mask, float("-inf")).softmax(0)[0].backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_the_line_that_overwrote_a_saved_value_is_named():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    with minitorch.autograd.set_detect_anomaly(True):
        y = x.exp()
        y.add_(1)  # the culprit
        with pytest.raises(RuntimeError) as info:
            y.sum().backward()
    assert "y.add_(1)  # the culprit" in str(info.value)
    assert "y = x.exp()" in str(info.value)


def test_the_mode_ends_with_its_block():
    x = minitorch.tensor([0.0], requires_grad=True)
    with minitorch.autograd.detect_anomaly():
        pass
    x.sqrt().sum().backward()
    assert x.grad.item() == float("inf")


def test_a_clean_pass_is_silent_and_the_same():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    with minitorch.autograd.detect_anomaly():
        (x * x.exp()).sum().backward()
    expected = ((1 + x) * x.exp()).detach()
    assert minitorch.allclose(x.grad, expected)
