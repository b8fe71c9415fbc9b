"""Does a test notice when a formula is wrong? `make mutants` breaks the core and looks.

A mutant is the library with one wrong formula: those of `tables.BY_HAND`, and a sample of what
`sites` finds by itself. A mutant that no test of its module notices survives. It needs a test,
or, where it changes no number that is promised, a reason in `tables.EXPLAINED`.
"""
