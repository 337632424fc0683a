"""Everything that touches MongoDB, and nothing else does.

The rule of this folder: a module for each kind of document, with a class whose methods are whole operations in the
words of the study. Values come in and go out as frozen dataclasses or models, never as MongoDB's documents. Each
operation may be sent twice without harm, is marked `idempotent`, and raises only the errors of `store.errors`. What
the embedded server does slowly or wrongly is avoided everywhere: find_one_and_update, $or, one-sided ranges, limits
in place of windows, transactions.
"""
