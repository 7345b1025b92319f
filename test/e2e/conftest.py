"""Each test has a machine of its own, `box`: see test/sandbox.py. Nothing here touches the real one.

WARREN        the program under test (default: build/warren)
WARREN_PLAIN  a build without sanitizers, for what runs under strace (default: WARREN)
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test"))

import observe  # noqa: E402  (needs the path above)
import sandbox  # noqa: E402

WARREN = str(Path(os.environ.get("WARREN", TOP / "build" / "warren")).resolve())
WARREN_PLAIN = str(Path(os.environ.get("WARREN_PLAIN", WARREN)).resolve())
AS_ROOT = os.geteuid() == 0 and "BOX_USER" not in os.environ

# The network of most tests: a bridge with three namespaces, both families.
TRIO = """
name: trio
bridges:
  lan: {subnet: ["10.20.0.0/24", "fd20::/64"]}
namespaces:
  one: {interfaces: {eth0: {bridge: lan, address: [10.20.0.1/24, "fd20::1/64"]}}}
  two: {interfaces: {eth0: {bridge: lan, address: [10.20.0.2/24, "fd20::2/64"]}}}
  three: {interfaces: {eth0: lan}}
"""


class Done:
    """A command that ended."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def __str__(self):
        words = " ".join(str(word) for word in self.command)
        return f"$ {words}\nstatus {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}"

    def json(self):
        return json.loads(self.out)


class Box:
    """A machine with its own namespaces, mounts and network, on which everything may be tried."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.children = []
        reading, writing = os.pipe()
        waiting, self.keep = os.pipe()
        self.keeper = os.fork()
        if self.keeper == 0:
            self._keep(writing, waiting)
        os.close(writing)
        os.close(waiting)
        with os.fdopen(reading, "rb") as file:
            words = file.read().decode()
        if words != "ready":
            os.waitpid(self.keeper, 0)
            raise RuntimeError(f"no sandbox: {words}")
        kinds = (["user"] if not AS_ROOT else []) + ["mnt", "net", "uts"]
        self.namespaces = [os.open(f"/proc/{self.keeper}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in kinds]
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.directory),
            "TERM": "dumb",
            "PYTHONDONTWRITEBYTECODE": "1",
            "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:abort_on_error=0",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
        }

    def _keep(self, writing, waiting):
        """The child that the namespaces live by, until the pipe from the parent closes."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.close(self.keep)
            sandbox.enter(user=not AS_ROOT)
            os.write(writing, b"ready")
            os.close(writing)
            os.read(waiting, 1)
            os._exit(0)
        except BaseException as error:  # pylint: disable=broad-except  # it must not run on as a second pytest
            os.write(writing, str(error).encode())
            os._exit(1)

    def _enter(self, cwd):
        # A shell that starts something in the background has it ignore these, and whatever is started from there does, too.
        for number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        for fd in self.namespaces:
            sandbox.setns(fd, 0)
        os.chdir(cwd)

    def popen(self, *command, cwd=None, env=None, **options):
        """Starts a command in the machine. Its pid is the command's own."""
        where = str(cwd or self.directory)
        environment = {**self.environment, **(env or {})}
        child = subprocess.Popen([str(word) for word in command], preexec_fn=lambda: self._enter(where), env=environment,
                                 start_new_session=options.pop("start_new_session", True), **options)
        self.children.append(child)
        return child

    def run(self, *command, check=True, input=None, timeout=60, cwd=None, env=None):
        """Runs a command to its end. check: its status must be 0 (or the number given)."""
        child = self.popen(*command, cwd=cwd, env=env, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="backslashreplace")
        try:
            out, err = child.communicate(input, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            raise AssertionError(f"took over {timeout} s:\n{Done(command, None, out, err)}") from None
        self.children.remove(child)
        done = Done(command, child.returncode, out, err)
        wanted = None if check is False else 0 if check is True else check
        assert wanted is None or done.status == wanted, f"status {done.status}, wanted {wanted}\n{done}"
        assert done.status != 99 and "Sanitizer" not in err and "runtime error:" not in err, str(done)
        return done

    def sh(self, script, **options):
        return self.run("sh", "-ec", script, **options)

    def warren(self, *arguments, **options):
        return self.run(WARREN, *arguments, **options)

    def up(self, text, *arguments, name="net.yaml", **options):
        """Writes a network file and brings it up."""
        return self.warren("up", *arguments, self.write(name, text), **options)

    def inside(self, pin, *command, **options):
        """Runs a command in a pinned namespace, without warren."""
        return self.run("nsenter", "--net=/run/netns/" + pin, "--", *command, **options)

    def ip_json(self, *arguments, ns=None):
        done = self.run("ip", "-j", "-d", *(["-n", ns] if ns else []), *arguments)
        return json.loads(done.out or "[]")

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def remount_run(self, flags, data):
        """What mount(8) cannot do with a tmpfs of a user namespace: it repeats user numbers that are not known inside."""
        script = f"import sys; sys.path.insert(0, {str(TOP / 'test')!r}); import sandbox as s; s.mount('none', '/run', None, s.MS_REMOUNT | s.MS_NOSUID | s.MS_NODEV | {flags}, {data!r})"
        self.run(sys.executable, "-c", script)

    def pins(self):
        done = self.sh("ls /run/netns 2>/dev/null || :")
        return done.out.split()

    def ping(self, pin, address, count=1, check=True, **options):
        """One echo, within two seconds; pin None is the machine itself."""
        command = ["ping", "-n", "-q", "-c", str(count), "-i", "0.05", "-W", "2", address]
        if pin is None:
            return self.run(*command, check=check, **options)
        return self.inside(pin, *command, check=check, **options)

    def observe(self, what):
        done = self.run(sys.executable, TOP / "test" / "observe.py", what)
        return done.json()

    def processes(self):
        """Of this machine, by pid, but for the one that keeps it."""
        mine = os.stat(f"/proc/{self.keeper}/ns/mnt").st_ino
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == self.keeper:
                continue
            try:
                if os.stat(f"/proc/{name}/ns/mnt").st_ino == mine:
                    found[int(name)] = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
        return found

    @contextmanager
    def leaves_nothing(self):
        """What happens inside leaves the machine as it was."""
        before, running = self.observe("host"), self.processes()
        yield
        assert_same(before, self.observe("host"))
        assert self.processes() == running

    @contextmanager
    def touches_nothing(self):
        """As leaves_nothing, and with namespaces there: nothing in them is made anew either."""
        host, inside = self.observe("host"), self.observe("pinned")
        yield
        assert_same(host, self.observe("host"))
        assert_same(inside, self.observe("pinned"))

    def close(self):
        for child in self.children:
            if child.poll() is None:
                try:
                    os.killpg(child.pid, signal.SIGKILL)
                except ProcessLookupError:
                    child.kill()
                child.wait()
            for stream in (child.stdin, child.stdout, child.stderr):
                if stream:
                    stream.close()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        for fd in self.namespaces:
            os.close(fd)
        # Said outright: the keeper of a younger machine holds this pipe open, too.
        os.write(self.keep, b".")
        os.close(self.keep)
        os.waitpid(self.keeper, 0)


def assert_same(before, after):
    lines = observe.differences(before, after)
    assert not lines, "not the same:\n" + "\n".join(lines[:40])


def normal(text):
    """Words with single spaces, for comparing what is printed."""
    return re.sub(r"\s+", " ", text).strip()


@pytest.fixture
def box(tmp_path):
    os.chmod(tmp_path, 0o755)
    machine = Box(tmp_path)
    yield machine
    machine.close()


@pytest.fixture
def second_box(tmp_path_factory):
    machine = Box(tmp_path_factory.mktemp("second"))
    yield machine
    machine.close()


@pytest.fixture
def trio(box):
    """A box with the network of three, up."""
    box.up(TRIO, name="trio.yaml")
    return box


@pytest.fixture(scope="session")
def output_schema():
    return json.loads((TOP / "share" / "warren-output.schema.json").read_text())


needs_root = pytest.mark.skipif(not AS_ROOT, reason="needs more than one user number: runs in the pass as root")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def pytest_configure(config):
    if not os.access(WARREN, os.X_OK):
        raise pytest.UsageError(f"no program at {WARREN}: build it, or set WARREN")


def pytest_collection_modifyitems(items):
    why = None if AS_ROOT else sandbox.works_as_user()
    if why:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"user namespaces are not available here: {why}"))
