"""The life of a generation: submit, run, record each step, and find again what a dead process left behind.

Rule of this folder: an operation is a function of a `Run` and knows nothing of Flask, MongoDB, `requests` or `openai`;
whatever it does through its `Run` stands in the record afterwards, failures included.
"""
