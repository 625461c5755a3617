"""Requests as the store keeps them."""

from __future__ import annotations

from pydantic_core import PydanticSerializationError

from bridge.errors import InputError
from bridge.values import JobRequest


def request_json(request: JobRequest) -> str:
    """The request as JSON; InputError where a path holds bytes that are no text (a broken file name)."""
    try:
        return request.model_dump_json()
    except (PydanticSerializationError, UnicodeError) as cause:
        name = str(request.source).encode("utf-8", "replace").decode()
        raise InputError(
            f"The path of {name}, or its destination, holds bytes that are no valid text. "
            "Rename it and try again."
        ) from cause


def plain_text(words: str) -> str:
    """Words with everything that is no text replaced by "?": a message may name a file with a broken name."""
    return words.encode("utf-8", "replace").decode()
