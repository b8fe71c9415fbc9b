"""How the weights move: one file per algorithm.

A file whose name does not start with an underscore holds a `SPEC` and

    trajectory(problem, values, record, limit) → iterator of Moments, one per recorded time

where `record` are the steps or times wanted (None: about 200, geometric) and `limit` is the
number of evaluations after which an adaptive run ends on its budget.
Names that start with an underscore are what several of them use.
"""
