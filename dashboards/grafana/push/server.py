"""A Grafana over its HTTP API, through grafana-client; nothing else imports that."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from dashboards.grafana.draw import DATASOURCE_UID, TAG

from .plan import Found, Step, Wanted, message_of

T = TypeVar("T")


class GrafanaError(OSError):
    """The server did not do what was asked; the message says what it said."""


class Server:
    """A Grafana.

    Args:
        url: its address.
        token: of a service account that may edit folders, dashboards, data sources and alert rules.
        timeout_s: for each request [s].
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 20.0) -> None:
        self._url = url
        self._api: Any = GrafanaApi.from_url(url, credential=token, timeout=timeout_s)

    def find(self, wanted: Wanted) -> Found:
        """Read what is there of what is wanted, and what else is marked as ours.

        Raises:
            GrafanaError: the server does not answer, or refuses.
        """
        uids = set(wanted.dashboards)
        uids |= {item["uid"] for item in self._ask(lambda: self._api.search.search_dashboards(tag=TAG))}
        dashboards, folder_of, messages = {}, {}, {}
        for uid in sorted(uids):
            answer = self._optional(lambda uid=uid: self._api.dashboard.get_dashboard(uid))  # type: ignore[misc]
            if answer is not None:
                dashboards[uid] = answer["dashboard"]
                folder_of[uid] = answer["meta"].get("folderUid", "")
                messages[uid] = self._newest_message(uid)
        source = None
        if wanted.source is not None:
            source = self._optional(lambda: self._api.datasource.get_datasource_by_uid(DATASOURCE_UID))
        return Found(
            source=source,
            folders={item["uid"]: item["title"] for item in self._ask(self._api.folder.get_all_folders)},
            dashboards=dashboards,
            folder_of=folder_of,
            messages=messages,
            rules={item["uid"]: item for item in self._ask(self._api.alertingprovisioning.get_alertrules_all)},
        )

    def do(self, step: Step, wanted: Wanted, password: str) -> None:
        """Carry out one step.

        Raises:
            GrafanaError: the server does not answer, or refuses.
        """
        if step.do in ("same", "foreign"):
            return
        work: dict[str, Callable[[Step], object]] = {
            "data source": lambda one: self._source(one, password),
            "folder": self._folder,
            "dashboard": lambda one: self._dashboard(one, wanted.folder_of),
            "rule": self._rule,
        }
        self._ask(lambda: work[step.what](step))

    def _newest_message(self, uid: str) -> str:
        """What was said with the newest version of a dashboard; empty where the server keeps none."""
        answer = self._optional(lambda: self._api.dashboard_versions.get_dashboard_versions_by_uid(uid))
        versions = answer["versions"] if isinstance(answer, dict) else answer or []
        newest: Mapping[str, Any] = max(versions, key=lambda item: item["version"], default={})
        return str(newest.get("message", ""))

    def _source(self, step: Step, password: str) -> object:
        body = {**step.body, **({"secureJsonData": {"password": password}} if password else {})}
        if step.do == "create":
            return self._api.datasource.create_datasource(body)
        return self._api.datasource.update_datasource_by_uid(step.uid, body)

    def _folder(self, step: Step) -> object:
        if step.do == "create":
            return self._api.folder.create_folder(step.body["title"], step.uid)
        return self._api.folder.update_folder(step.uid, title=step.body["title"], overwrite=True)

    def _dashboard(self, step: Step, folder_of: Mapping[str, str]) -> object:
        if step.do == "remove":
            return self._api.dashboard.delete_dashboard(step.uid)
        body = {**step.body, "id": None}
        message = {
            "dashboard": body,
            "folderUid": folder_of[step.uid],
            "overwrite": True,
            "message": message_of(step.body),
        }
        return self._api.dashboard.update_dashboard(message)

    def _rule(self, step: Step) -> object:
        provisioning = self._api.alertingprovisioning
        if step.do == "remove":
            return provisioning.delete_alertrule(step.uid)
        if step.do == "create":
            return provisioning.create_alertrule(dict(step.body), disable_provenance=True)
        return provisioning.update_alertrule(step.uid, dict(step.body), disable_provenance=True)

    def _optional(self, work: Callable[[], T]) -> T | None:
        """What there is, or None where the server says that there is no such thing."""

        def or_none() -> T | None:
            try:
                return work()
            except GrafanaClientError as error:
                if error.status_code == 404:
                    return None
                raise

        return self._ask(or_none)

    def _ask(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except GrafanaException as error:
            raise GrafanaError(f"{self._url}: {error.message}") from None
        except requests.RequestException as error:
            raise GrafanaError(f"{self._url}: {type(error).__name__}: {error}") from None
        except ValueError as error:
            raise GrafanaError(f"{self._url}: the answer is no JSON: {error}") from None
