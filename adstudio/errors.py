"""The one tree of errors, each with the exit status of the command line (resources/docs/job.md)."""


class AdStudioError(Exception):
    """Base of every error this application raises on purpose.

    The message says what happened, to which file or field, and what to do about it.
    """

    exit_status = 1


class JobError(AdStudioError):
    """A job, or the place it should be written to, is wrong.

    field: dotted name of the field at fault ("styles.0.weight"), or "" where none is.
    """

    exit_status = 2

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ImageError(AdStudioError):
    """A picture cannot be read, or is not one that may be read."""

    exit_status = 2


class ImageTooLargeError(ImageError):
    """A picture has more pixels than are read at once; it can be made smaller while it is read."""


class ModelError(AdStudioError):
    """A file or folder is not a model that can be used: damaged, hostile, or of another kind."""

    exit_status = 2


class UnavailableError(AdStudioError):
    """This machine cannot do the job: no such device, too little memory, no such model."""

    exit_status = 3


class EngineError(AdStudioError):
    """Computing failed; the job itself was well-formed."""


class StorageError(AdStudioError):
    """A file could not be written or read: disk full, read-only, vanished."""


class StorageFullError(StorageError):
    """The disk is full, or a quota or limit on the size of files is reached; what was there before is unharmed."""


class ProjectError(AdStudioError):
    """A folder is not a project that can be used this way: damaged, read-only, unknown run, or none at all."""

    exit_status = 2


class ProjectBusyError(ProjectError):
    """Another window or command writes this project. holder: who, in words."""

    def __init__(self, message: str, *, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


class ProjectReadOnlyError(ProjectError):
    """The project was opened for reading only."""
