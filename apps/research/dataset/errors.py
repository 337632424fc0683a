"""Why a data set is not made or not taken in.

DatasetError
├── UnknownStudyError        no study has this id
├── NotExportableError       the records are not whole
│   └── ChangedMeanwhileError  they changed while they were read; another try may succeed
├── NotValidError            what was written does not hold what it says; it is not given out
└── NotImportableError       the file is no data set of ours, is damaged, or the database is not empty
"""


class DatasetError(Exception):
    """Say that a data set was not made or not taken in; the leaves say why."""


class UnknownStudyError(DatasetError):
    """Say that no study has this id."""

    def __init__(self, study_id: str) -> None:
        super().__init__(f"there is no study {study_id[:40]!r}; /api/studies lists them")


class NotExportableError(DatasetError):
    """Say that the records are not whole."""


class ChangedMeanwhileError(NotExportableError):
    """Say that the records changed while they were read; another try may succeed."""


class NotValidError(DatasetError):
    """Say that what was written does not hold what it says."""


class NotImportableError(DatasetError):
    """Say that a file is no data set of ours, is damaged, or that the database is not empty."""
