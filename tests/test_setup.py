"""Whatever fails in the set-up, the last line says what to do, and the next run recovers. Lock and workflows too."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
COMMANDS = ["book", "read", "lab", "notebooks", "model", "bench", "test", "requirements"]

# A Python that says its version and writes down what it is asked for; asked for $FAIL_AT, it does $FAIL_WITH and fails.
PYTHON = """#!/bin/sh
case "$*" in -c*version_info*) echo "${VERSION:-3.12}"; exit;; esac
echo "$*" >>"$CALLS"
case "$*" in *"$FAIL_AT"*) [ -z "$FAIL_WITH" ] || { eval "$FAIL_WITH"; exit 1; };; esac
case "$*" in *venv*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python
    for tool in jupyter-labextension jupyter-trust; do ln -s /bin/true .venv/bin/$tool; done;; esac
"""

posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")


class Clone:
    """A clone of the course, in a folder with a blank in its name, on a machine whose only Python is the stand-in."""

    def __init__(self, folder):
        self.folder = folder / "my course"
        self.folder.mkdir()
        for name in ("Makefile", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder)
        self.tools = folder / "tools"
        self.tools.mkdir()
        for name in ("sh", "make", "awk", "cat", "cp", "find", "kill", "ln", "mkdir", "mv", "rm", "sed", "sleep"):
            if tool := shutil.which(name):
                (self.tools / name).symlink_to(tool)
        self.install_python("python3")
        self.log = folder / "calls"

    def install_python(self, name):
        (self.tools / name).write_text(PYTHON)
        (self.tools / name).chmod(0o755)

    def start(self, *arguments, **environment):
        self.log.write_text("")
        environment = {"PATH": str(self.tools), "CALLS": str(self.log)} | environment
        return subprocess.Popen(
            ["make", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # As on a terminal: a job in the background ignores ctrl-C, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def make(self, *arguments, **environment):
        """What make printed, without its own report of a failure, and its exit status."""
        process = self.start(*arguments, **environment)
        lines = process.communicate(timeout=60)[0].splitlines()
        return [line for line in lines if not re.match(r"make(\[\d+\])?: \*\*\*", line)], process.returncode

    def calls(self):
        return self.log.read_text().splitlines()

    def is_made_afresh(self):
        return any("venv" in call for call in self.calls())

    def assert_recovers(self):
        """Nothing says that a set-up is complete which is not, and the next run makes a whole one."""
        assert not (self.folder / ".venv/ready").exists()
        assert self.make(".venv/ready")[1] == 0
        assert self.is_made_afresh()
        assert (self.folder / ".venv/ready").exists()


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@posix
@pytest.mark.parametrize(
    ("fail_at", "says", "advice"),
    [
        ("ensurepip", "No module named ensurepip", "apt install python3-venv"),
        ("venv", "OSError: [Errno 28] No space left on device", "Free 3 GB"),
        ("-r requirements.txt", "OSError: [Errno 28] No space left on device: /tmp", "Free 3 GB"),
        ("-r requirements.txt", "Connection broken: OSError(28, No space left on device)", "Free 3 GB"),
        ("-r requirements.txt", "Failed to establish a new connection: Connection refused", "Look at the network"),
        ("-r requirements.txt", "Temporary failure in name resolution", "Look at the network"),
        ("-r requirements.txt", "ReadTimeoutError: Read timed out.", "Look at the network"),
        ("--no-deps", "ERROR: no such option", "If the lines above say why, mend that"),
    ],
)
def test_a_set_up_that_fails_says_what_to_do_and_the_next_run_recovers(clone, fail_at, says, advice):
    lines, status = clone.make("book", FAIL_AT=fail_at, FAIL_WITH=f"echo '{says}' >&2")
    assert status != 0
    assert says in lines
    assert advice in lines[-1]
    assert lines[-1].endswith("type the same command again.")
    clone.assert_recovers()


@posix
def test_without_a_python_that_will_do_it_says_which_one_is_needed(clone):
    lines, status = clone.make("test", VERSION="3.10")
    assert status != 0
    assert "3.11" in lines[-1]
    assert "python3 is 3.10" in lines[-1]
    (clone.tools / "python3").unlink()
    lines, status = clone.make("test")
    assert status != 0
    assert lines[-1].startswith("Python 3.11, 3.12, 3.13 or 3.14 is needed. Install one")


@posix
def test_python_is_the_one_asked_for_else_python3_else_the_newest(clone):
    old = "[ $# = 0 ] || echo 3.9\n"
    for name in ("python3.12", "python3.13", "a snake"):
        clone.install_python(name)
    assert "3.11" in clone.make(".venv/ready", VERSION="3.11")[0][0]
    (clone.tools / "python3").write_text("#!/bin/sh\n" + old)
    shutil.rmtree(clone.folder / ".venv")
    (clone.tools / "python3.13").write_text(PYTHON.replace("${VERSION:-3.12}", "3.13"))
    assert "with Python 3.13" in clone.make(".venv/ready")[0][0]
    shutil.rmtree(clone.folder / ".venv")
    assert clone.make(".venv/ready", f"PYTHON={clone.tools / 'a snake'}", VERSION="3.14")[1] == 0
    shutil.rmtree(clone.folder / ".venv")
    lines, status = clone.make(".venv/ready", f"PYTHON={clone.tools / 'python3'}")
    assert status != 0
    assert "is 3.9" in lines[-1]


@posix
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_set_up_that_is_interrupted_leaves_nothing_that_passes_for_complete(clone, kill):
    # exec: a shell that has just made a child may lose the signal before the child runs its command
    process = clone.start("book", FAIL_AT="pip install", FAIL_WITH="exec sleep 60")
    deadline = time.monotonic() + 30
    while not any("pip install" in call for call in clone.calls()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, kill)
    printed = process.communicate(timeout=30)[0]
    assert process.returncode != 0
    assert kill == signal.SIGKILL or "interrupted. To start it afresh, type the same command again." in printed
    clone.assert_recovers()


@posix
def test_a_second_run_sets_up_nothing_and_a_new_lock_is_installed_in_place(clone):
    assert clone.make(".venv/ready")[1] == 0
    assert clone.make("model")[1] == 0
    assert clone.calls() == ["-m tfmlib train --source en --target fr --output tfmlib/models/en-fr"]
    later = time.time() + 5
    os.utime(clone.folder / "requirements.txt", (later, later))
    assert clone.make("model")[1] == 0
    assert not clone.is_made_afresh()
    assert any("pip install" in call for call in clone.calls())


@posix
def test_an_update_that_fails_is_made_afresh(clone):
    assert clone.make(".venv/ready")[1] == 0
    later = time.time() + 5
    os.utime(clone.folder / "requirements.txt", (later, later))
    assert clone.make("book", FAIL_AT="pip install", FAIL_WITH="echo no >&2")[1] != 0
    clone.assert_recovers()


@posix
def test_a_folder_that_was_moved_or_that_lost_its_python_is_set_up_afresh(clone):
    assert clone.make(".venv/ready")[1] == 0
    clone.folder = clone.folder.rename(clone.folder.with_name("elsewhere"))
    assert clone.make(".venv/ready")[1] == 0
    assert clone.is_made_afresh()
    (clone.folder / ".venv/bin/python").unlink()
    assert clone.make(".venv/ready")[1] == 0
    assert clone.is_made_afresh()


@posix
def test_lab_copies_what_the_learner_does_not_have_and_overwrites_nothing(clone):
    (clone.folder / "notebooks/solutions").mkdir(parents=True)
    for name in ("01_one_hot.ipynb", "solutions/01_one_hot.ipynb", "01_one_hot.md"):
        (clone.folder / "notebooks" / name).write_text("ours, as in {cite}`vaswani2017`")
    assert clone.make("lab")[1] == 0
    mine = clone.folder / "my-notebooks"
    assert sorted(str(path.relative_to(mine)) for path in mine.rglob("*.*")) == [
        "01_one_hot.ipynb",
        "solutions/01_one_hot.ipynb",
    ]
    assert (mine / "solutions/01_one_hot.ipynb").read_text() == "ours, as in (vaswani2017)"
    (mine / "01_one_hot.ipynb").write_text("mine")
    (clone.folder / "notebooks/02_embedding.ipynb").write_text("ours")
    assert clone.make("lab")[1] == 0
    assert (mine / "01_one_hot.ipynb").read_text() == "mine"
    assert (mine / "02_embedding.ipynb").read_text() == "ours"


@posix
def test_read_says_when_the_port_is_taken(clone):
    assert clone.make(".venv/ready")[1] == 0
    (clone.folder / ".venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (clone.folder / "_build/html").mkdir(parents=True)
    (clone.folder / "_build/html/index.html").write_text("the book")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lines, status = clone.make("read", f"PORT={port}")
    assert status != 0
    assert lines[-1].startswith(f"Port {port} is taken.")


@posix
@pytest.mark.parametrize(
    ("apt_get", "says"),
    [
        ("ln -s /bin/true {tools}/chromium", "make --keep-going test book, CHROMIUM={tools}/chromium"),
        ("exit 100", "make --keep-going test book, CHROMIUM="),
    ],
)
def test_ci_installs_a_browser_where_it_can_and_fails_if_make_does(tmp_path, apt_get, says):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "head", "ln", "tail"):
        (tools / name).symlink_to(shutil.which(name))
    asked = 'echo "make $*, CHROMIUM=$CHROMIUM"; exit 3'
    for name, script in (("make", asked), ("apt-get", 'case "$*" in *install*) ' + apt_get + ";; esac")):
        (tools / name).write_text(f"#!{tools}/bash\n{script.format(tools=tools)}\n")
        (tools / name).chmod(0o755)
    environment = {"PATH": str(tools)}
    done = subprocess.run(["bash", ROOT / ".ci/run"], env=environment, capture_output=True, text=True, timeout=30)
    assert done.stdout == says.format(tools=tools) + "\n"
    assert ("could not be installed" in done.stderr) == ("exit" in apt_get)
    assert done.returncode == 3


@posix
def test_make_alone_and_the_readme_list_the_commands(clone):
    lines, status = clone.make()
    assert status == 0
    assert [line.split()[:2] for line in lines] == [["make", command] for command in COMMANDS]
    assert re.findall(r"^\| `make (\w+)` \|", (ROOT / "README.md").read_text("utf-8"), re.M) == COMMANDS


def test_the_lock_pins_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+( ; .+)?", line), f"not a plain pin: {line}"
        assert not re.match(r"nvidia|cuda|triton", line), f"only for NVIDIA cards: {line}"
    pins = {Requirement(line).name: Requirement(line).specifier for line in lines}
    for asked in map(Requirement, project["dependencies"] + project["optional-dependencies"]["course"]):
        version = next(iter(pins[asked.name.replace("_", "-")])).version
        assert version in asked.specifier, f"{asked} asks for another than {version}: make requirements"


def test_jupyterlab_takes_the_extension_that_renders_the_directives():
    command = [sys.executable, "-m", "jupyterlab.labextensions", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = [line for line in (listed.stdout + listed.stderr).splitlines() if "jupyterlab-myst" in line]
    assert len(lines) == 1, listed.stderr
    assert "enabled" in lines[0]
    assert "OK" in lines[0]


def test_actions_are_pinned_by_commit_and_only_the_publishing_job_may_write():
    for path in (ROOT / ".github/workflows").iterdir():
        text = path.read_text("utf-8")
        uses = re.findall(r"uses: (.*)", text)
        assert uses
        assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v[0-9.]+", action) for action in uses), path
        assert "permissions:\n  contents: read\n" in text
        writes = re.findall(r"\w+\S*: write", text)
        assert writes == (["pages: write", "id-token: write"] if path.name == "book.yml" else []), path
