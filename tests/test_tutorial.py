"""The README's tutorial, from a built wheel in a new environment outside the checkout: what it says is what happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TUTORIAL = README.split("\n## Your own strategy in fifteen minutes\n", 1)[1].split("\n## ", 1)[0]
STEPS = re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT],
        check=True,
        timeout=120,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_from_nothing_to_a_strategy_of_ones_own(wheel, tmp_path):
    """All of its commands run in one shell, as they are typed; files are edited between them as it says."""
    (tmp_path / "home").mkdir()
    package = Path("quantmind-turtle")
    script = ["set -eu"]
    for number, (language, name, text) in enumerate(STEPS):
        if (language, name) == ("sh", "tutorial"):
            script += [line.replace("install pip ~/quantmind", f"install pip {wheel}") for line in text.splitlines()]
            continue
        (tmp_path / f"edit{number}").write_text(text)
        redirect = ">>" if name.startswith("test_") else ">"
        script.append(f"cat {tmp_path / f'edit{number}'} {redirect} {package / name}")
    own = ("PYTHON", "PYTEST", "XDG", "QUANTMIND")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={**kept, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    told = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, told
    for said in (
        "strategy turtle (quantmind-turtle 0.1.0, quantmind_turtle)",
        "4 passed",
        "1 passed",
        "turtle.yaml: ok",
    ):
        assert said in told, told
    assert re.search(r"^  fills +[1-9]", done.stdout, re.MULTILINE)
    assert "| `leave` | whole number, at least 1 |" in (tmp_path / "trading" / package / "README.md").read_text()
