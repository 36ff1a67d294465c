"""Model fields of our own."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import InvalidToken
from django.db import models

from contactcentre.lib.secrets import CannotDecrypt, Credentials, fernet


class EncryptedField(models.BinaryField):  # type: ignore[type-arg]  # generic in the stubs only
    """A JSON object kept as a Fernet token. Reads as `Credentials`; raises CannotDecrypt on a lost key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", Credentials)
        super().__init__(*args, **kwargs)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The token to store for a mapping."""
        if value is None or isinstance(value, bytes | memoryview):
            return super().get_db_prep_value(value, connection, prepared)
        token = fernet().encrypt(json.dumps(dict(value), separators=(",", ":")).encode())
        return super().get_db_prep_value(token, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Credentials | None:
        """The mapping behind a stored token."""
        if value is None:
            return None
        try:
            return Credentials(json.loads(fernet().decrypt(bytes(value))))
        except InvalidToken as error:
            raise CannotDecrypt("stored credentials cannot be decrypted with the present keys") from error

    def value_to_string(self, obj: Any) -> str:
        """Serialised data never holds a credential: an export shows that there is one, not which."""
        return "<encrypted>"
