"""What can go wrong during the set-up, said in words."""


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what would help."""


# Words of pip's output, and what they mean to a person; the first that is found is said.
_HINTS = (
    (
        ("No space left on device", "[Errno 28]", "not enough space"),
        "The disk is full: the set-up needs about 3 GB (8 GB with CUDA). Make room and start again.",
    ),
    (
        (
            "NameResolutionError",
            "Temporary failure in name resolution",
            "NewConnectionError",
            "Network is unreachable",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
            "Read timed out",
        ),
        "The package index could not be reached: check the network (and the proxy settings), then start again.",
    ),
    (
        ("No matching distribution found",),
        (
            "There is no ready-made package for this system and Python {version}: 64-bit Windows or Linux, or a Mac "
            "with Apple silicon, and Python 3.11 to 3.13 are known to work."
        ),
    ),
    (("Permission denied", "[Errno 13]"), "A file may not be written: check who owns the project's folder."),
)


def hint_for(output: str, *, version: str) -> str:
    """Say what pip's output means, or nothing where it is not known."""
    for words, hint in _HINTS:
        if any(word in output for word in words):
            return hint.format(version=version)
    return ""
