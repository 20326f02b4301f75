"""The left side of the window: the studies that have been opened."""

from viewer.browser.tree import StudyTree

__all__ = ["StudyTree"]
