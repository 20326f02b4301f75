"""Scoring models on pictures they have not seen, one module a task.

A new task is a module with ``TITLES`` (headings of the results page by `Figure.task`) and
``figures(job) -> list[Figure]``, and one line in `run.TASKS`.
"""
