"""The same as files that Grafana reads when it starts: deploy/grafana/provisioning."""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from .dashboards import RULES_FOLDER, TIMEZONE, dashboards, folder_of
from .datasource import ROLE, data_source
from .rules import GROUP, INTERVAL_S, rules
from .text import LANGUAGES

FOLDER: Final = "/etc/grafana/provisioning"
"""Where Grafana finds them."""
_HEAD: Final = "# Written by `parkcarbon dashboards export`: change dashboards/grafana instead.\n"


def files(timezone: str = TIMEZONE) -> dict[str, str]:
    """Every file by its path below the provisioning folder.

    The data source takes host, database and password from the environment of Grafana: PARKCARBON_REPORT_HOST,
    PARKCARBON_REPORT_DATABASE, PARKCARBON_REPORT_SSLMODE and the file of a secret.
    """
    found = {
        "datasources/parkcarbon.yaml": _yaml({"apiVersion": 1, "datasources": [_source()]}),
        "dashboards/parkcarbon.yaml": _yaml({"apiVersion": 1, "providers": _providers()}),
        "alerting/parkcarbon.yaml": _yaml({"apiVersion": 1, "groups": [_group()]}),
    }
    for built in dashboards(timezone):
        body = json.dumps(built.body, ensure_ascii=False, indent=1, sort_keys=True)
        found[f"dashboards/{built.language}/{built.key}.json"] = body + "\n"
    return found


def write(folder: Path, timezone: str = TIMEZONE) -> list[str]:
    """Write the files, take away what is no longer among them, and return what changed."""
    wanted = files(timezone)
    changed = []
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(f"~ {name}")
    for language in LANGUAGES:
        for path in (folder / "dashboards" / language).glob("*.json"):
            name = str(path.relative_to(folder))
            if name not in wanted:
                path.unlink()
                changed.append(f"- {name}")
    return changed


def _source() -> dict[str, Any]:
    made = data_source("${PARKCARBON_REPORT_HOST}", ROLE, "${PARKCARBON_REPORT_DATABASE}")
    made["jsonData"]["sslmode"] = "${PARKCARBON_REPORT_SSLMODE}"
    made["editable"] = False
    made["secureJsonData"] = {"password": "$__file{/run/secrets/parkcarbon_report_password}"}
    return made


def _providers() -> list[dict[str, Any]]:
    return [
        {
            "name": f"parkcarbon-{language}",
            "type": "file",
            "folder": folder_of(language).title,
            "folderUid": folder_of(language).uid,
            "allowUiUpdates": False,
            "updateIntervalSeconds": 60,
            "options": {"path": f"{FOLDER}/dashboards/{language}"},
        }
        for language in LANGUAGES
    ]


def _group() -> dict[str, Any]:
    """Rules as the file format wants them: the folder by its title, the group around them."""
    outside = ("folderUID", "orgID", "ruleGroup")
    return {
        "orgId": 1,
        "name": GROUP,
        "folder": RULES_FOLDER.title,
        "interval": f"{INTERVAL_S}s",
        "rules": [{name: value for name, value in rule.items() if name not in outside} for rule in rules()],
    }


def _yaml(document: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
