"""Every error of the driver becomes one of ours."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from bson import encode
from bson import errors as bson_errors
from pymongo import errors as pymongo_errors

from store import errors
from store.errors import StoreError, mongo_errors, translate

DRIVER_ERRORS = [
    cls
    for module in (pymongo_errors, bson_errors)
    for cls in vars(module).values()
    if inspect.isclass(cls) and issubclass(cls, Exception) and cls.__module__ in ("pymongo.errors", "bson.errors")
]


def raised(cls: type[Exception]) -> Exception:
    """Make an error of a class without knowing what its constructor wants."""
    error = cls.__new__(cls)
    error.args = ("mongodb://user:secret@host said no",)
    return error


@pytest.mark.parametrize("cls", DRIVER_ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_class_of_the_driver_is_translated(cls: type[Exception]) -> None:
    assert isinstance(translate(raised(cls)), StoreError)


@pytest.mark.parametrize("cls", DRIVER_ERRORS, ids=lambda cls: cls.__name__)
def test_no_message_repeats_what_the_driver_said(cls: type[Exception]) -> None:
    assert "secret" not in str(translate(raised(cls)))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (pymongo_errors.ServerSelectionTimeoutError("x"), errors.StoreUnavailableError),
        (pymongo_errors.AutoReconnect("x"), errors.StoreUnavailableError),
        (pymongo_errors.NotPrimaryError("x"), errors.StoreUnavailableError),
        (pymongo_errors.WaitQueueTimeoutError("x"), errors.StoreUnavailableError),
        (pymongo_errors.NetworkTimeout("x"), errors.StoreTimeoutError),
        (pymongo_errors.WTimeoutError("x"), errors.StoreTimeoutError),
        (pymongo_errors.ExecutionTimeout("x"), errors.StoreTimeoutError),
        (pymongo_errors.InvalidURI("x"), errors.StoreConfigError),
        (pymongo_errors.OperationFailure("x", 18), errors.StoreConfigError),
        (pymongo_errors.DocumentTooLarge("x"), errors.DocumentTooLargeError),
        (pymongo_errors.WriteError("x", 10334), errors.DocumentTooLargeError),
        (pymongo_errors.WriteError("x", 1033), errors.DocumentTooLargeError),
        (pymongo_errors.DuplicateKeyError("x", 11000), errors.DuplicateError),
        (pymongo_errors.OperationFailure("x", 11600), errors.StoreUnavailableError),
        (pymongo_errors.OperationFailure("x", 1), errors.StoreOperationError),
        (pymongo_errors.ProtocolError("x"), errors.DamagedError),
        (bson_errors.InvalidBSON("x"), errors.DamagedError),
        (bson_errors.InvalidDocument("x"), errors.DocumentInvalidError),
    ],
    ids=lambda value: value.__name__ if inspect.isclass(value) else type(value).__name__,
)
def test_each_kind_of_trouble_has_its_own_error(theirs: Exception, ours: type[StoreError]) -> None:
    assert type(translate(theirs)) is ours


@pytest.mark.parametrize("value", [2**70, "\ud800"], ids=["big integer", "lone surrogate"])
def test_values_that_bson_cannot_hold_are_called_invalid(value: Any) -> None:

    with pytest.raises(errors.DocumentInvalidError), mongo_errors():
        encode({"value": value})


def test_the_drivers_error_stays_as_the_cause() -> None:
    cause = pymongo_errors.AutoReconnect("x")
    with pytest.raises(StoreError) as caught, mongo_errors():
        raise cause
    assert caught.value.__cause__ is cause


def test_errors_of_others_pass_untouched() -> None:
    with pytest.raises(KeyError), mongo_errors():
        raise KeyError("x")


def test_the_tree_in_the_docstring_names_every_error() -> None:
    ours = [name for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, StoreError)]
    assert [name for name in ours if name not in (errors.__doc__ or "")] == []
