"""A Docker engine of its own in a box, spoken to over its socket; nothing of it outlives the test.

Theory: dockerd runs in the box's mount and network namespaces with every directory of its own in one that is made for it, and its
control groups under one name. It says itself when it is ready (sd_notify). Containers are processes with namespaces that the box does not
know, so they are ended here by their ids.
"""

import contextlib
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import AS_ROOT

PATIENCE = 60
BUSYBOX = "/bin/busybox"
IMAGE = "warren-test"

# The control groups of the machine, mounted where this mount namespace has none.
CGROUPS = """
if grep -q ' /sys/fs/cgroup cgroup2 ' /proc/1/mounts || ! grep -q '^[a-z].*[[:space:]][1-9][0-9]*[[:space:]][0-9]*[[:space:]]1$' /proc/cgroups; then
    mount -t cgroup2 none /sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 none /sys/fs/cgroup
    awk '$2 > 0 && $4 == 1 {print $1}' /proc/cgroups | while read -r name; do
        mkdir /sys/fs/cgroup/$name
        mount -t cgroup -o $name none /sys/fs/cgroup/$name || rmdir /sys/fs/cgroup/$name
    done
fi
"""


def missing():
    """Why there can be no engine here; None: there can."""
    if not AS_ROOT:
        return "an engine needs more than one user number: runs in the pass as root"
    for program, package in (("dockerd", "docker.io"), ("iptables", "iptables")):
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"{program} is not installed (Debian: {package})"
    linked = subprocess.run(["ldd", BUSYBOX], capture_output=True, check=False)
    if not os.path.exists(BUSYBOX) or b"not a dynamic" not in linked.stdout + linked.stderr:
        return "no busybox that needs no libraries (Debian: busybox-static)"
    return None


needs_engine = pytest.mark.skipif(missing() is not None, reason=missing() or "")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class Container:
    def __init__(self, engine, name, number, pid):
        self.engine, self.name, self.number, self.pid = engine, name, number, pid
        # By this name traffic.Agent finds its network.
        engine.box.run("ip", "netns", "attach", name, pid)
        network = engine.ask("GET", f"/containers/{number}/json")["NetworkSettings"]
        self.address, self.gateway = network["IPAddress"], network["Gateway"]


class Engine:
    def __init__(self, box):
        self.box = box
        # Sockets have short names only, so it is not below the test's own directory.
        self.directory = Path(tempfile.mkdtemp(prefix="warren-engine-"))
        self.group = "/" + self.directory.name
        self.containers = []
        self.daemon = None
        box.sh(CGROUPS)
        self.start()
        self._import()

    def start(self):
        self.log = open(self.directory / "log", "ab")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            path = self.directory / "ready"
            ready.bind(str(path))
            ready.settimeout(PATIENCE)
            self.daemon = self.box.popen(
                "dockerd", "--storage-driver=vfs", f"--data-root={self.directory}/data", f"--exec-root={self.directory}/exec",
                f"--pidfile={self.directory}/pid", "-H", f"unix://{self.directory}/api", f"--cgroup-parent={self.group}",
                stdout=self.log, stderr=self.log, env={"NOTIFY_SOCKET": str(path)})
            try:
                while b"READY=1" not in ready.recv(4096):
                    pass
            except TimeoutError:
                self.close()
                raise AssertionError(f"dockerd is not ready:\n{(self.directory / 'log').read_text()[-4000:]}") from None
            finally:
                path.unlink(missing_ok=True)

    def stop(self):
        """Ends the daemon alone; its rules stay."""
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(timeout=PATIENCE)
        self.log.close()

    def ask(self, method, path, body=None, kind="application/json"):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        with contextlib.closing(_Connection(f"{self.directory}/api")) as connection:
            connection.request(method, path, data, {"Content-Type": kind} if data is not None else {})
            answer = connection.getresponse()
            text = answer.read()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text.decode(errors='replace')}"
        with contextlib.suppress(ValueError):
            return json.loads(text)
        return text

    def _import(self):
        """An image that holds one program under some names."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(BUSYBOX, "bin/busybox")
            for name in ("sh", "sleep", "ping"):
                link = tarfile.TarInfo("bin/" + name)
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        self.ask("POST", f"/images/create?fromSrc=-&repo={IMAGE}&tag=latest", archive.getvalue(), "application/x-tar")

    def run(self, name, publish=None):
        """A container that does nothing. publish: {its TCP port: the host's}."""
        ports = {f"{inside}/tcp": [{"HostPort": str(outside)}] for inside, outside in (publish or {}).items()}
        made = self.ask("POST", f"/containers/create?name={quote(name)}", {
            "Image": IMAGE, "Cmd": ["sleep", "3600"], "ExposedPorts": {port: {} for port in ports},
            "HostConfig": {"PortBindings": ports, "CgroupParent": self.group}})
        self.ask("POST", f"/containers/{made['Id']}/start")
        pid = self.ask("GET", f"/containers/{made['Id']}/json")["State"]["Pid"]
        self.containers.append(Container(self, name, made["Id"], pid))
        return self.containers[-1]

    def execute(self, container, *command):
        """Runs a command in a container, through the engine; its output."""
        made = self.ask("POST", f"/containers/{container.number}/exec", {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True, "Tty": True})
        out = self.ask("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": True})
        status = self.ask("GET", f"/exec/{made['Id']}/json")["ExitCode"]
        assert status == 0, f"{command}: {status} {out}"
        return out

    def close(self):
        for container in self.containers:
            with contextlib.suppress(OSError, AssertionError):
                self.ask("DELETE", f"/containers/{container.number}?force=true")
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        for container in self.containers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(container.pid, signal.SIGKILL)
        self.box.sh(f"find /sys/fs/cgroup -depth -type d -path '*{self.group}*' -exec rmdir {{}} +", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture
def engine(box):
    made = Engine(box)
    yield made
    made.close()
