"""Data sets of studies: one ZIP that the field's tools read, and the same study made from it again.

The rule of this folder: no Flask; records come and go by `store`, one after another, so that memory does not grow with
the study. What an export holds follows from the records alone, with no clock and no chance in it: the same records give
the same bytes. Each table is defined once, in `tables`, and from there come its CSV, JSON Lines and Parquet files, the
codebook and the description of the data set.
"""
