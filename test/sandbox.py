#!/usr/bin/python3
"""A machine of its own for a test: new mount, network and host-name namespaces, in which /run, /etc and /sys are private.

Theory: enter() changes the calling process for good, so it is called in a child made for it. As root the namespaces are
made directly; anyone else gets a user namespace first and is root inside, with one user number mapped. /run is a fresh tmpfs;
/etc is a tmpfs of symbolic links to the real one, with files of its own where a test wants to write (hosts, resolv.conf,
hostname) and without netns; /sys shows the new network namespace. When the last process in it ends, all of it is gone.

As a program: sandbox.py [--user] COMMAND [ARGUMENT...] runs a command in such a machine.
"""

import ctypes
import os
import socket
import struct
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

PRIVATE_FILES = {
    "resolv.conf": "nameserver 192.0.2.53\n",
    "hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost\n",
    "hostname": "box\n",
}

libc = ctypes.CDLL(None, use_errno=True)


def _call(what, result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _call("unshare", libc.unshare(flags))


def setns(fd, kind):
    _call("setns", libc.setns(fd, kind))


def mount(source, target, kind, flags=0, data=None):
    def encode(text):
        return None if text is None else os.fsencode(text)

    _call(f"mount {target}",
          libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(data)))


def loopback_up():
    siocsifflags, iff_up = 0x8914, 1
    import fcntl
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))


def private_etc():
    """The real /etc moves to /mnt/etc; what replaces it may be written without touching the machine."""
    mount("none", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    os.mkdir("/mnt/etc")
    mount("/etc", "/mnt/etc", "none", MS_BIND | MS_REC)
    mount("none", "/etc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for name in os.listdir("/mnt/etc"):
        if name in PRIVATE_FILES or name == "netns":
            continue
        real = "/mnt/etc/" + name
        os.symlink(os.readlink(real) if os.path.islink(real) else real, "/etc/" + name)
    for name, text in PRIVATE_FILES.items():
        with open("/etc/" + name, "w", encoding="utf-8") as file:
            file.write(text)


def enter(user=None):
    """Moves this process into a fresh machine. user: in a user namespace; None: unless this is root."""
    uid, gid = os.geteuid(), os.getegid()
    if user is None:
        user = uid != 0
    if user:
        unshare(CLONE_NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open("/proc/self/" + name, "w", encoding="ascii") as file:
                file.write(text)
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS)
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    mount("none", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    private_etc()
    mount("none", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    socket.sethostname("box")
    loopback_up()


def works_as_user():
    """None, or why an ordinary user cannot have such a machine here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            enter(user=True)
            os._exit(0)
        except OSError as error:
            os.write(writing, str(error).encode())
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        words = file.read().decode()
    _, status = os.waitpid(child, 0)
    return None if status == 0 else words or f"child ended with {status}"


def main():
    arguments = sys.argv[1:]
    user = None
    if arguments == ["--probe"]:
        why = works_as_user()
        if why:
            print(why)
        sys.exit(1 if why else 0)
    if arguments and arguments[0] == "--user":
        user, arguments = True, arguments[1:]
    if not arguments:
        sys.exit("usage: sandbox.py [--user] COMMAND [ARGUMENT...]\n       sandbox.py --probe")
    enter(user)
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main()
