"""What `meson install` puts where, and that a program of somebody else's can be built on it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import TOP, WARREN, AS_ROOT

BUILD = Path(WARREN).parent

pytestmark = [
    pytest.mark.skipif(not (BUILD / "meson-info").is_dir(), reason="the program was not built by meson here: runs in the pass as root"),
    pytest.mark.skipif(shutil.which("meson") is None or shutil.which("pkg-config") is None, reason="meson and pkg-config are not installed"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    top = tmp_path_factory.mktemp("installed")
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", top], check=True, stdout=subprocess.DEVNULL)
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    values = {option["name"]: option["value"] for option in options}
    return top, Path(values["prefix"]), values


def test_layout(installed):
    top, prefix, values = installed
    here = Path(str(top) + str(prefix))
    for name in ("bin/warren", "include/warren.h", "include/warren/error.h", "share/man/man1/warren.1", "share/man/man1/warren-up.1",
                 "share/bash-completion/completions/warren", "share/zsh/site-functions/_warren", "share/fish/vendor_completions.d/warren.fish",
                 "share/warren/warren-network.schema.json", "share/warren/warren-output.schema.json", "share/man/man5/warren-network.5",
                 values["libdir"] + "/libwarren.so.0", values["libdir"] + "/pkgconfig/warren.pc"):
        assert (here / name).exists(), name


def test_public_header_alone(installed, tmp_path):
    """In C and in C++, without a warning, in any order."""
    top, prefix, _ = installed
    (tmp_path / "one.c").write_text("#include <warren/error.h>\n#include <warren.h>\nint main(void) { return WR_RESULT_DONE; }\n")
    for compiler, standard in (("cc", "c99"), ("cc", "c17"), ("c++", "c++11")):
        if shutil.which(compiler):
            subprocess.run([compiler, "-x", "c++" if compiler == "c++" else "c", "-std=" + standard, "-pedantic", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L",
                            f"-I{top}{prefix}/include", "-fsyntax-only", tmp_path / "one.c"], check=True)


def test_exported_names(installed):
    """The shared library offers what the header declares, and nothing else."""
    top, prefix, values = installed
    library = f"{top}{prefix}/{values['libdir']}/libwarren.so.0"
    out = subprocess.run(["nm", "-D", "--defined-only", library], stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {line.split()[2] for line in out.splitlines() if line.split()[1] in "TDBR"}
    header = (TOP / "include" / "warren.h").read_text() + (TOP / "include" / "warren" / "error.h").read_text()
    assert "wr_up" in names
    assert not {name for name in names if name + "(" not in header and name != "wr_commands"}


EXAMPLES = sorted((TOP / "examples").glob("*.c"))


def test_there_is_an_example_program():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_example_program(box, installed, path, tmp_path):
    top, prefix, values = installed
    libdir = f"{top}{prefix}/{values['libdir']}"
    environment = {**os.environ, "PKG_CONFIG_PATH": libdir + "/pkgconfig", "PKG_CONFIG_SYSROOT_DIR": str(top)}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "warren"], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    program = tmp_path / path.stem
    sanitize = [] if values["b_sanitize"] == "none" else ["-fsanitize=" + values["b_sanitize"]]
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *sanitize, path, "-o", program, *flags], check=True)
    with box.leaves_nothing():
        done = box.run(program, env={"LD_LIBRARY_PATH": libdir}, cwd=TOP / "examples" if AS_ROOT else box.directory, timeout=60)
        assert done.out
