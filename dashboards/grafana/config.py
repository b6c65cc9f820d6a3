"""Settings of the verbs, from the environment."""

import os
from collections.abc import Mapping

from msgspec import Struct

from parkcarbon.kit.settings import SettingsError, from_environment

from .dashboards import TIMEZONE

__all__ = ["Config", "SettingsError", "read_config"]


class Config(Struct, frozen=True, kw_only=True):
    """What the verbs are told; each only asks for what it needs.

    Attributes:
        grafana_url: PARKCARBON_GRAFANA_URL.
        grafana_token: PARKCARBON_GRAFANA_TOKEN, of a service account, best from the file that
            PARKCARBON_GRAFANA_TOKEN_FILE names.
        grafana_datasource: PARKCARBON_GRAFANA_DATASOURCE, `postgresql://parkcarbon_report:…@host:5432/database` as
            Grafana reaches it; empty: the data source is not touched.
        grafana_sslmode: PARKCARBON_GRAFANA_SSLMODE.
        grafana_timezone: PARKCARBON_GRAFANA_TIMEZONE, the park's time zone.
        database_url: PARKCARBON_DATABASE_URL, for `role` and `queries`.
        report_role: PARKCARBON_REPORT_ROLE.
        report_password: PARKCARBON_REPORT_PASSWORD, best from the file that PARKCARBON_REPORT_PASSWORD_FILE names.
    """

    grafana_url: str = ""
    grafana_token: str = ""
    grafana_datasource: str = ""
    grafana_sslmode: str = "require"
    grafana_timezone: str = TIMEZONE
    database_url: str = ""
    report_role: str = "parkcarbon_report"
    report_password: str = ""

    def need(self, *names: str) -> None:
        """Refuse to go on without some settings.

        Raises:
            SettingsError: one is not set; all that are not are named.
        """
        missing = [f"PARKCARBON_{name.upper()}" for name in names if not getattr(self, name)]
        if missing:
            raise SettingsError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")


def read_config(environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings.

    Raises:
        SettingsError: a value does not fit.
    """
    return from_environment(Config, environment)
