"""Commands of the lesions: going through them, and deciding on them one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from inference.lesion_review import Verdict
from viewer.declaring import Command, needs

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["lesion_commands"]


def lesion_commands(session: ReadingSession) -> Sequence[Command]:
    """Declare them; see `viewer.lesion_review`."""
    review = session.review

    @needs("a list of lesions; analyse the series first")
    def has_some() -> bool:
        listed = session.lesions.listed
        return listed is not None and bool(listed.lesions)

    @needs("a lesion that is chosen in the list or by a click on it")
    def is_chosen() -> bool:
        return review.chosen is not None

    def is_said(verdict: Verdict) -> bool:
        chosen = review.chosen
        return chosen is not None and review.decision(chosen.number).verdict is verdict

    return (
        Command("lesion-next", "Next lesion", "Go to the next lesion of the list", "Analysis",
                partial(review.step, 1), ("N",), has_some, separated=True),
        Command("lesion-previous", "Previous lesion", "Go to the lesion before it", "Analysis",
                partial(review.step, -1), ("Shift+N",), has_some),
        Command("lesion-accept", "Accept lesion", "Say that the chosen lesion is one; again takes "
                "it back", "Analysis", partial(review.decide, Verdict.ACCEPTED), ("Y",), is_chosen,
                partial(is_said, Verdict.ACCEPTED)),
        Command("lesion-reject", "Reject lesion", "Say that the chosen lesion is none: it leaves "
                "the reader's totals, and stays in the machine's; again takes it back",
                "Analysis", partial(review.decide, Verdict.REJECTED), ("X",), is_chosen,
                partial(is_said, Verdict.REJECTED)),
    )  # fmt: skip
