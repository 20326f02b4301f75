"""Masks move with their pictures, mixing keeps the unknown unknown, unknowns carry no gradient."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from inference.training.augment import augment, corrupt, mixup
from inference.training.losses import (
    IGNORE,
    LUNG,
    LUNGS,
    PICTURE,
    manifestation_loss,
    recognition_loss,
    streams_loss,
)
from inference.training.recipe import AugmentSettings, LossSettings

STILL = AugmentSettings(
    rotation=0, shear=0, scale=0, shift=0, flip=0, gamma=0, contrast=0, brightness=0, noise=0,
    blur=0,
)  # fmt: skip


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _disc() -> tuple[torch.Tensor, torch.Tensor]:
    rows, columns = np.ogrid[:64, :64]
    disc = (rows - 25) ** 2 + (columns - 38) ** 2 < 12**2
    pictures = torch.from_numpy(np.where(disc, 255, 0).astype(np.uint8)[np.newaxis].repeat(8, 0))
    return pictures, (pictures > 0).to(torch.uint8) * 2


def test_no_change_is_the_identity() -> None:
    pictures, masks = _disc()
    x, moved = augment(pictures, masks, STILL, 64, _generator())
    assert torch.allclose(x[:, 0] * 255, pictures.float(), atol=1e-3)
    assert torch.equal(moved, masks)


def test_masks_follow_their_pictures() -> None:
    pictures, masks = _disc()
    wild = AugmentSettings(gamma=0, contrast=0, brightness=0, noise=0, blur=0)
    x, moved = augment(pictures, masks, wild, 48, _generator())
    assert x.shape == (8, 1, 48, 48)
    overlap = ((x[:, 0] > 0.5) == (moved == 2)).float().mean()
    assert overlap > 0.97
    assert not torch.equal(moved[0], moved[1]), "each picture has its own change"


def test_same_generator_same_batch() -> None:
    pictures, masks = _disc()
    first = augment(pictures, masks, AugmentSettings(erase=1.0), 64, _generator(5))
    second = augment(pictures, masks, AugmentSettings(erase=1.0), 64, _generator(5))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_erasing_touches_the_borders_alone() -> None:
    pictures = torch.full((16, 50, 50), 128, dtype=torch.uint8)
    settings = dataclasses.replace(STILL, erase=1.0)
    x, _ = augment(pictures, None, settings, 50, _generator())
    assert (x[:, 0, 12:38, 12:38] - 128 / 255).abs().max() < 1e-5
    assert (x[:, 0] - 128 / 255).abs().max() > 0.1


def test_mixing_keeps_unknown_labels_unknown() -> None:
    x = torch.arange(4.0).view(4, 1)
    targets = {"a": torch.tensor([[1.0, 0.0], [0.0, 1.0], [float("nan")] * 2, [0.0, 1.0]])}
    mixed, labels = mixup(x, targets, 0.4, _generator())
    known = labels["a"].isfinite().all(dim=1)
    assert not known[2]
    assert torch.allclose(labels["a"][known].sum(dim=1), torch.ones(int(known.sum())))
    assert (mixed >= 0).all()
    assert (mixed <= 3).all()


def test_recognition_loss_leaves_out_the_unknown() -> None:
    logits = {"a": torch.zeros(2, 2, requires_grad=True)}
    targets = {"a": torch.tensor([[1.0, 0.0], [float("nan"), float("nan")]])}
    loss = recognition_loss(logits, targets)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(np.log(2))
    assert logits["a"].grad[1].abs().sum() == 0


def test_manifestation_loss_is_binary_cross_entropy() -> None:
    logits = torch.tensor([[0.0, 2.0, -3.0]])
    targets = torch.tensor([[1.0, 0.0, float("nan")]])
    expected = -(np.log(0.5) + np.log(1 - 1 / (1 + np.exp(-2.0)))) / 2
    assert float(manifestation_loss(logits, targets)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("stream", "channels"), [("ggo", 1), ("all", 4)])
def test_streams_loss_ignores_255_and_falls_when_right(stream: str, channels: int) -> None:
    masks = torch.zeros(1, 8, 8, dtype=torch.uint8)
    masks[0, :4] = 1
    masks[0, :, :2] = IGNORE
    right = torch.full((1, channels, 8, 8), -8.0)
    if stream == "ggo":
        right[0, 0, :4] = 8.0
    else:
        right[0, 1, :4] = 8.0
        right[0, 0, 4:] = 8.0
    logits = right.clone().requires_grad_()
    loss = streams_loss({stream: logits}, masks)
    loss.backward()
    assert logits.grad[..., :2].abs().max() == 0
    wrong = streams_loss({stream: -right}, masks)
    assert float(loss.detach()) < 0.1 * float(wrong)


def _square() -> torch.Tensor:
    masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
    masks[0, 20:44, 20:44] = 1
    return masks


@pytest.mark.parametrize("region", ["focal tversky", "dice", "iou"])
def test_every_region_loss_falls_from_wrong_to_half_right_to_right(region: str) -> None:
    masks = _square()
    right = torch.where(masks == 1, 8.0, -8.0).unsqueeze(1)
    half = right.clone()
    half[:, :, 20:32] = -8.0
    losses = [
        float(streams_loss({"ggo": z}, masks, LossSettings(region=region)))
        for z in (-right, half, right)
    ]
    assert losses[0] > losses[1] > losses[2]
    assert losses[2] < 0.01


def test_a_miss_beside_the_outline_weighs_more_than_one_far_from_it() -> None:
    masks = _square()
    settings = LossSettings(boundary=5.0)
    right = torch.where(masks == 1, 6.0, -6.0).unsqueeze(1)

    def cost(row: int, weighted: bool) -> float:
        wrong = right.clone()
        wrong[0, 0, row, 28:36] *= -1
        return float(streams_loss({"ggo": wrong}, masks, settings if weighted else None))

    plain = cost(43, False) - cost(32, False)
    assert cost(43, True) - cost(32, True) > plain + 1e-3


def test_the_union_is_asked_for_too_and_ignores_255() -> None:
    masks = _square()
    masks[0, 30:, 30:44] = 2
    masks[0, :, :8] = IGNORE
    settings = LossSettings(union=True)
    logits = {
        name: torch.where(masks == code, 12.0, -12.0).unsqueeze(1).requires_grad_()
        for name, code in (("ggo", 1), ("consolidation", 2), ("effusion", 3))
    }
    right = streams_loss(logits, masks, settings)
    swapped = {**logits, "ggo": logits["consolidation"], "consolidation": logits["ggo"]}
    wrong_kind = streams_loss(swapped, masks, settings)
    missed = streams_loss(
        {k: torch.full_like(v, -12.0) for k, v in logits.items()}, masks, settings
    )
    assert right.item() < 0.05
    without = LossSettings(union=False)
    assert wrong_kind.item() < streams_loss(swapped, masks, without).item(), "the union is right"
    assert missed.item() > right.item() + 0.5
    right.backward()
    for values in logits.values():
        assert values.grad is not None
        assert values.grad.isfinite().all()
        assert values.grad[..., :8].abs().max() == 0


def test_lungs_are_asked_for_beside_lesions_which_they_do_not_hide() -> None:
    masks = torch.zeros(1, 8, 8, dtype=torch.uint8)
    masks[:, :, :4] = LUNG
    masks[:, :2, :2] = 1 + LUNG
    masks[:, 7] = IGNORE
    lung, ggo = torch.full((1, 1, 8, 8), -9.0), torch.full((1, 1, 8, 8), -9.0)
    lung[:, :, :, :4] = 9.0
    ggo[:, :, :2, :2] = 9.0
    lung[:, :, 7] = ggo[:, :, 7] = 1e4
    right = streams_loss({"ggo": ggo, LUNGS: lung}, masks)
    assert float(right) < 0.05
    assert float(streams_loss({"ggo": ggo, LUNGS: -lung}, masks)) > 3
    assert float(streams_loss({"ggo": lung, LUNGS: lung}, masks)) > float(right) + 0.5
    alone = streams_loss({"ggo": ggo}, torch.where(masks == IGNORE, masks, masks % LUNG))
    assert float(streams_loss({"ggo": ggo}, masks)) == pytest.approx(float(alone))


def test_a_picture_is_restored_from_its_corrupted_copy() -> None:
    pictures, masks = _disc()
    x = pictures.unsqueeze(1).float() / 255
    spoilt, unknown = corrupt(x, masks, 0.3, _generator(5))
    assert unknown is not None
    cut = unknown == IGNORE
    assert 0.05 < float(cut.float().mean()) < 0.5
    assert torch.equal(unknown[~cut], masks[~cut])
    assert torch.equal(corrupt(x, masks, 0.3, _generator(5))[0], spoilt)
    assert corrupt(x, None, 0.3, _generator(5))[1] is None
    noise = (spoilt - x)[:, 0][~cut]
    assert 0 < float(noise.std()) < 0.2
    assert float(streams_loss({PICTURE: x}, masks, None, x)) == 0
    assert float(streams_loss({PICTURE: spoilt}, masks, None, x)) > 0
    with pytest.raises(ValueError, match="needs the pictures"):
        streams_loss({PICTURE: x}, masks)
