"""The command line: help, manual pages, completion, wrong usage."""

import re
import subprocess

import pytest
from conftest import TOP, TRIO, WARREN


def commands():
    text = (TOP / "share" / "meson.build").read_text()
    return re.findall(r"'([a-z]+)'", re.search(r"^commands = \[([^\]]*)\]", text, re.M | re.S).group(1))


def listed_commands():
    out = subprocess.run([WARREN, "help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return out


def test_help_lists_every_command(box):
    out = box.warren("help").out
    for command in commands():
        assert re.search(rf"^\s+{command}\b", out, re.M), command
    assert box.warren("--help").out == out


@pytest.mark.parametrize("command", commands())
def test_help_of_a_command(box, command):
    by_option = box.warren(command, "--help").out
    assert f"warren {command}" in by_option
    assert box.warren("help", command).out == by_option
    page = box.warren("help", "--man", command).out
    assert page.lstrip().startswith((".TH", "'\\\"", ".\\\"")) and f"warren\\-{command}" in page.replace("warren-", "warren\\-")
    # Every option of the help is in the page, and the other way round.
    options = set(re.findall(r"--([a-z]+)", by_option))
    assert options == set(re.findall(r"--([a-z]+)", page.replace("\\-", "-"))) | {"help"} & options


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command(box, shell):
    script = box.warren("help", "--complete", shell).out
    for command in commands():
        assert command in script


def complete(box, *words):
    """What bash would offer for the last word."""
    box.write("completion", box.warren("help", "--complete", "bash").out)
    line = " ".join(words)
    script = f"""
        shopt -s extglob progcomp
        source ./completion
        spec=$(complete -p warren); function=${{spec##*-F }}; function=${{function%% *}}
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
        $function warren "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    path = f"{WARREN.rsplit('/', 1)[0]}:{box.environment['PATH']}"
    return box.run("bash", "-c", script, env={"PATH": path}).out.split()


def test_bash_completion(trio):
    assert {"up", "down", "plan"} <= set(complete(trio, "warren", ""))
    assert complete(trio, "warren", "stat") == ["status"]
    assert "trio" in complete(trio, "warren", "status", "tr")
    assert any("one" in word for word in complete(trio, "warren", "exec", "on"))
    assert "--json" in complete(trio, "warren", "plan", "--js")


def test_version(box):
    out = box.warren("version").out
    version = re.search(r"version: '([0-9.]+)'", (TOP / "meson.build").read_text()).group(1)
    assert version in out
    assert box.warren("--version").out == out


@pytest.mark.parametrize("words", [["upp"], ["up", "--nmae", "x"], ["up", "a.yaml", "b.yaml"], ["exec"], ["run", "file.yaml"], ["plan", "--json=yes"], []],
                         ids=" ".join)
def test_wrong_usage(box, words):
    done = box.warren(*words, check=2)
    assert done.out == "" and done.err


def test_nearest_word(box):
    assert "up" in box.warren("upp", check=2).err.replace("upp", "")
    assert "--name" in box.warren("up", "--nmae", "x", check=2).err


def test_output_to_a_full_disk(box):
    path = box.write("trio.yaml", TRIO)
    done = box.sh(f"'{WARREN}' show '{path}' > /dev/full", check=False)
    assert done.status == 1 and "No space" in done.err


def test_a_file_of_zeros(box):
    """The reader sees all of it: nothing is read beyond a copy that ended at the first zero."""
    for content in (b"\0" * 5000, b"name: a\n" + b"\0" * 5000 + b"bridges: {}\n"):
        path = box.directory / "zeros.yaml"
        path.write_bytes(content)
        assert box.warren("show", path, check=2).err
