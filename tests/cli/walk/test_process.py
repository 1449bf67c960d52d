"""Every command as a process whose streams, folders, environment or disk are not what they should be."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

ODD = {
    "standard output closed": "exec {} >&-",
    "standard output full": "exec {} >/dev/full",
    "all streams closed": "exec {} <&- >&- 2>&-",
    "nobody reads": "{} | exec true; exit ${{PIPESTATUS[0]}}",
    "working folder gone": "mkdir gone && cd gone && rmdir ../gone && exec {}",
    "odd environment": "export LC_ALL=C PYTHONIOENCODING=ascii NO_COLOR=1 COLUMNS=1 TZ=Nowhere/Odd TERM=; exec {}",
    "state in a file": "rm quantmind.yaml; export XDG_STATE_HOME=$PWD/empty HOME=$PWD/empty; exec {}",
    "no home": "rm quantmind.yaml; unset XDG_STATE_HOME; export HOME=$PWD/homeless; exec {}",
    "state elsewhere": "export QUANTMIND_STATE=not/absolute; exec {}",
    "few files": "ulimit -n 12; exec {}",
    "small files": "ulimit -f 1; exec {}",
    "read-only": "exec bwrap --ro-bind / / --dev /dev --proc /proc --chdir $PWD {}",
    "no permission": "chmod a-rwx *.yaml *.csv store state/runs/first/journal.sqlite; "
    "exec bwrap --bind / / --dev /dev --proc /proc --cap-drop ALL --chdir $PWD {}",
    "full disk": "exec bwrap --bind / / --dev /dev --proc /proc --size 8000000 --tmpfs $PWD/disk --chdir $PWD sh -c "
    '"tar c --exclude=./disk . | tar x -C disk; cat /dev/zero > disk/fill 2>/dev/null; cd disk; {}"',
}
SILENT = ("all streams closed", "nobody reads")
"""Where nobody is there to be told, or knows already."""
ALIKE = ("atr-stop", "size", "liquidation", "ruin", "resume", "flatten", "reset")
"""What another command stands for here: sums, and instructions to an account."""


@pytest.fixture
def shell(project):
    """Run a line of the shell around a command; what has no end is interrupted."""

    def run(line, name, arguments):
        command = shlex.join([sys.executable, "-m", "quantmind", *name.split(), *arguments])
        process = subprocess.Popen(
            ["bash", "-c", line.format(command)],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project / "site")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=2 if name in {"tap", "venue"} else 60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            output, errors = process.communicate(timeout=30)
            # The sandbox itself is ended by the signal.
            return (0 if process.returncode == -signal.SIGINT else process.returncode), output, errors
        return process.returncode, output, errors

    return run


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.timeout(600)
def test_odd_circumstances(odd, shell, right, every, behaves, project, tmp_path):
    if "bwrap" in ODD[odd] and shutil.which("bwrap") is None:
        pytest.skip("needs bwrap: apt-get install bubblewrap")
    kept = tmp_path / "kept"
    shutil.copytree(project, kept, symlinks=True)
    faults = []
    for name in every:
        if name.split()[-1] in ALIKE:
            continue
        try:
            code, output, errors = shell(ODD[odd], name, right[name])
            if odd == "nobody reads" and code == 141:
                # What every command ends with whose reader has gone.
                code = 0
            behaves(code, output, errors, (odd, name))
            assert errors or code in {0, 130} or odd in SILENT or output, (odd, name, code)
            assert not (odd in {"standard output closed", "standard output full"} and output)
        except AssertionError as fault:
            faults.append(str(fault)[:1_500])
        subprocess.run(["chmod", "-R", "u+rwX", project], check=True)
        shutil.rmtree(project)
        shutil.copytree(kept, project, symlinks=True)
    assert not faults, "\n".join(faults)
