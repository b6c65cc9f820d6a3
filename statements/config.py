"""Settings of the statements process, from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from parkcarbon.kit.settings import SettingsError, from_environment

__all__ = ["Config", "SettingsError", "read_config"]


class Config(Struct, frozen=True, kw_only=True):
    """What the process is told.

    Attributes:
        database_url: PARKCARBON_DATABASE_URL.
        signing_key_file: PARKCARBON_SIGNING_KEY_FILE, the secret key file; None: what must be signed waits.
        tsa_url: PARKCARBON_TSA_URL, an RFC 3161 authority for time stamps in signatures; None: none.
        smtp_url: PARKCARBON_SMTP_URL, `smtp://host:25`, `smtp+starttls://user@host:587`, `smtps://user@host:465`; None:
            mail waits.
        smtp_password: PARKCARBON_SMTP_PASSWORD, best from the file that PARKCARBON_SMTP_PASSWORD_FILE names.
        mail_from: PARKCARBON_MAIL_FROM, the sender's address.
        statements_tick_s: PARKCARBON_STATEMENTS_TICK_S, pause between two looks at what is to be done [s].
        statements_look_s: PARKCARBON_STATEMENTS_LOOK_S, pause between two looks at what is due and missing [s].
        statements_metrics_port: PARKCARBON_STATEMENTS_METRICS_PORT; None: no metrics.
    """

    database_url: str
    signing_key_file: Path | None = None
    tsa_url: str | None = None
    smtp_url: str | None = None
    smtp_password: str = ""
    mail_from: str = "parkcarbon@localhost"
    statements_tick_s: Annotated[float, Meta(gt=0)] = 30.0
    statements_look_s: Annotated[float, Meta(gt=0)] = 900.0
    statements_metrics_port: Annotated[int, Meta(ge=1, le=65535)] | None = None


def read_config(environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings.

    Raises:
        SettingsError: PARKCARBON_DATABASE_URL is missing, or a value does not fit.
    """
    # the key's variable is itself the path of a file, not the value of a secret
    plain = {name: value for name, value in environment.items() if name != "PARKCARBON_SIGNING_KEY_FILE"}
    config = from_environment(Config, plain)
    path = environment.get("PARKCARBON_SIGNING_KEY_FILE")
    if not path:
        return config
    return Config(
        **{name: getattr(config, name) for name in config.__struct_fields__} | {"signing_key_file": Path(path)}
    )
