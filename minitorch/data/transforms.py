"""The few image transforms that an MLP program needs, with torchvision's names and meanings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minitorch.creation import from_numpy, tensor
from minitorch.tensor import Tensor

# Pillow's modes whose elements are not uint8.
MODES = {"1": np.bool_, "I": np.int32, "I;16": np.int16, "F": np.float32}


class Compose:
    """Apply the transforms one after the other.

    >>> from minitorch.data import transforms
    >>> transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.5,), std=(0.5,))
    )
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "Compose(" + "".join(f"\n    {each}" for each in self.transforms) + "\n)"


class ToTensor:
    """Turn a PIL image or an array (H, W) or (H, W, C) into a Tensor (C, H, W).

    uint8 becomes float32 in [0, 1], ``x / 255``; other dtypes keep their values.
    Raises TypeError for anything else, and ValueError for an array of another dimension.

    >>> import numpy as np
    >>> from minitorch.data import transforms
    >>> transforms.ToTensor()(np.array([[0, 51], [102, 255]], np.uint8))
    tensor([[[0.0000, 0.2000],
             [0.4000, 1.0000]]])
    """

    def __call__(self, image: Any) -> Tensor:
        pixels = _pixels(image)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        return _scaled(pixels) if pixels.dtype == np.uint8 else from_numpy(pixels)

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """Return ``(x - mean) / std`` of a float Tensor (..., C, H, W), channel by channel.

    `inplace=True` writes into `x`. Raises TypeError for what is not a float Tensor, and
    ValueError if it has fewer than three dimensions or a std is zero.
    """

    def __init__(
        self, mean: Sequence[float] | float, std: Sequence[float] | float, inplace: bool = False
    ) -> None:
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def __call__(self, image: Tensor) -> Tensor:
        if not isinstance(image, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(image)}")
        if not image.is_floating_point():
            raise TypeError(f"Input tensor should be a float tensor. Got {image.dtype}.")
        if image.ndim < 3:
            raise ValueError(
                "Expected tensor to be a tensor image of size (..., C, H, W). "
                f"Got tensor.size() = {tuple(image.shape)}"
            )
        mean, std = (np.array(each, image.dtype) for each in (self.mean, self.std))
        if not std.all():
            raise ValueError(f"std = {self.std} is zero in {image.dtype}: cannot divide by it")
        mean, std = (
            tensor(each.reshape(-1, 1, 1) if each.ndim == 1 else each, device=image.device)
            for each in (mean, std)
        )
        if not self.inplace:
            return (image - mean) / std
        image -= mean
        image /= std
        return image

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Lambda:
    """Apply any function as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)

    def __repr__(self) -> str:
        return "Lambda()"


def of_batch(transform: Any, images: npt.NDArray[np.uint8]) -> Any:
    """Return what the transform makes of each image (N, H, W), stacked, but computed at once.

    The result is the same bit for bit. NotImplemented unless the transform is a ToTensor, alone
    or followed by Normalize: nothing is known about others.
    """
    first, *rest = _steps(transform)
    if type(first) is not ToTensor or any(type(each) is not Normalize for each in rest):
        return NotImplemented
    batch = _scaled(images[:, None])
    for normalize in rest:
        batch = normalize(batch)
    return batch


def _steps(transform: Any) -> list[Any]:
    if type(transform) is not Compose:
        return [transform]
    return [step for each in transform.transforms for step in _steps(each)] or [None]


def _scaled(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return from_numpy(np.divide(pixels, np.float32(255), dtype=np.float32))


def _pixels(image: Any) -> npt.NDArray[Any]:
    """Return the image as an array (H, W) or (H, W, C)."""
    if isinstance(image, np.ndarray):
        if image.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {image.ndim} dimensions.")
        return image
    # Whoever has a PIL image has imported Pillow; the rest need not wait for it.
    pillow = sys.modules.get("PIL.Image")
    if pillow is None or not isinstance(image, pillow.Image):
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(image)}")
    pixels: npt.NDArray[Any] = np.array(image, MODES.get(image.mode, np.uint8))
    return pixels * np.uint8(255) if image.mode == "1" else pixels
