"""Write `openapi.json` anew: `python -m tests.contract.write_openapi`."""

import json
from pathlib import Path

from api.app import create_app
from api.settings import Settings

if __name__ == "__main__":
    document = create_app(Settings(database_url="postgresql://localhost/none")).openapi()
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    Path(__file__).with_name("openapi.json").write_text(text, encoding="utf-8")
