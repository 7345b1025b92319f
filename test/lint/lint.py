#!/usr/bin/python3
"""Rules of the house that no compiler holds, one function each. Run from the top of the tree: lint.py RULE [ARGUMENT...].

Status 0: held; 1: broken, each place on a line of its own; 77: the tool for it is not installed (meson counts it as skipped).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The order of knowledge: a folder includes from itself and from those before it.
FOLDERS = ["base", "model", "file", "filter", "kernel", "live", "plan", "apply", "why", "show", "lib", "cmd"]
PURE = {"base", "model", "file", "filter", "plan", "why", "show"}
IMPURE_FILES = {"src/base/file.c", "src/base/file.h"}
SYSTEM_HEADERS = {
    "unistd.h", "fcntl.h", "sched.h", "dirent.h", "poll.h", "signal.h", "spawn.h", "termios.h", "pwd.h", "grp.h", "time.h", "syslog.h",
    "sys/socket.h", "sys/mount.h", "sys/stat.h", "sys/syscall.h", "sys/ioctl.h", "sys/wait.h", "sys/prctl.h", "sys/resource.h", "sys/mman.h",
    "sys/file.h", "sys/time.h", "sys/uio.h", "sys/vfs.h", "sys/statfs.h", "sys/epoll.h", "sys/capability.h", "libmnl/libmnl.h",
}
# What is called in one file only.
DOORS = {"setns": "src/kernel/netns.c", "unshare": "src/kernel/netns.c"}
BANNED = {
    "sprintf": "snprintf or wr_text_addf", "vsprintf": "vsnprintf", "strcpy": "wr_arena_strdup", "strcat": "wr_text_add", "strncpy": "memcpy",
    "strncat": "wr_text_add", "gets": "fgets", "strtok": "strcspn", "strtok_r": "strcspn", "system": "fork and exec", "popen": "fork and exec",
    "alloca": "an arena", "atoi": "strtol", "atol": "strtol", "tmpnam": "mkstemp", "mktemp": "mkstemp", "sleep": "waiting for the event",
    "usleep": "waiting for the event", "nanosleep": "waiting for the event", "inet_ntoa": "wr_ip_format", "asctime": "strftime",
    "ctime": "strftime", "gethostbyname": "getaddrinfo", "rand": "wr_hash", "srand": "wr_hash",
}
# What a library does not do: it says what happened, and its caller decides.
BANNED_IN_LIBRARY = {"printf", "puts", "putchar", "perror", "exit", "errx", "warnx", "fprintf", "fputs", "vprintf", "vfprintf"}
LINES_OF_FILE = 600
LINES_OF_FUNCTION = 80

problems = []


def problem(path, line, words):
    problems.append(f"{path}:{line}: {words}")


def sources(*patterns):
    for pattern in patterns:
        yield from sorted(Path(".").glob(pattern))


def without_comments(text):
    """Comments and strings become blanks of the same shape, so that lines keep their numbers."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def calls(path, names):
    """Where one of names is called, as (line, name)."""
    text = without_comments(path.read_text(encoding="utf-8"))
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(map(re.escape, sorted(names))) + r")\s*\(")
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1)


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(1), match.group(2)


def arrows():
    """Folders include downwards only, and the program uses nothing that the library does not offer."""
    seen = 0
    for path in sources("src/*/*.[ch]"):
        folder = path.parts[1]
        if folder not in FOLDERS:
            problem(path, 1, f"folder '{folder}' has no place in the order of knowledge")
            continue
        for number, quote, name in includes(path):
            head = name.split("/")[0]
            if name == "warren.h" or head == "warren":
                continue
            if quote == '"' and "/" not in name:
                # Beside it: an internal header of the same folder.
                if not (path.parent / name).exists():
                    problem(path, number, f'"{name}" is not in {path.parent}: write its folder')
            elif head in FOLDERS and quote == '"':
                seen += 1
                if FOLDERS.index(head) > FOLDERS.index(folder):
                    problem(path, number, f"{folder}/ must not know {head}/")
                elif folder == "cmd" and head != "cmd":
                    problem(path, number, f"the program uses include/warren.h only, not {head}/")
    for path in sources("include/**/*.h"):
        for number, _, name in includes(path):
            if name.split("/")[0] in FOLDERS:
                problem(path, number, "a public header includes an inner one")
    if seen == 0:
        problem("src", 0, "no include was found: this test sees nothing")


def pure():
    """Pure folders make no system call, and nothing in the library has variables of its own."""
    for path in sources("src/*/*.[ch]"):
        folder = path.parts[1]
        if folder in PURE and str(path) not in IMPURE_FILES:
            for number, _, name in includes(path):
                if name in SYSTEM_HEADERS or name.startswith(("kernel/", "sys/")) and name not in ("sys/types.h",):
                    problem(path, number, f"{folder}/ is pure: <{name}> is for system calls")
            for number, name in calls(path, {"open", "openat", "read", "write", "close", "socket", "send", "recv", "ioctl", "fopen", "time",
                                             "clock_gettime", "getenv", "getpid", "gethostname", "uname"}):
                problem(path, number, f"{folder}/ is pure: it calls {name}()")
        if folder == "cmd" or path.suffix == ".h":
            continue
        text = without_comments(path.read_text(encoding="utf-8"))
        for match in re.finditer(r"^(?:static\s+)?(?!.*\bconst\b)(?:(?:unsigned|struct|enum)\s+)?\w+[\s*]+\w+(?:\[[^\]]*\])*\s*(?:=|;)", text, re.M):
            words = match.group(0)
            if not re.match(r"(typedef|struct\s+\w+\s*;|enum\s+\w+\s*;|union\s+\w+\s*;|extern|return|goto)", words):
                problem(path, text.count("\n", 0, match.start()) + 1, f"a variable of the file: '{words.strip(' =;')}'")
        for match in re.finditer(r"^\t+static\s+(?!.*\bconst\b)[^(]*[=;]", text, re.M):
            problem(path, text.count("\n", 0, match.start()) + 1, "a static variable in a function")


def doors():
    """Some calls are made in one file only."""
    found = set()
    for path in sources("src/*/*.c"):
        for number, name in calls(path, DOORS):
            found.add(name)
            if str(path) != DOORS[name]:
                problem(path, number, f"{name}() is called in {DOORS[name]} only")
        text = without_comments(path.read_text(encoding="utf-8"))
        for match in re.finditer(r"\b(?:SYS|__NR)_(setns|unshare)\b", text):
            if str(path) != DOORS[match.group(1)]:
                problem(path, text.count("\n", 0, match.start()) + 1, f"{match.group(1)} is called in {DOORS[match.group(1)]} only")
    if found != set(DOORS):
        problem("src/kernel/netns.c", 0, f"calls only {sorted(found)}: this test sees nothing")


def banned():
    for path in sources("src/*/*.c", "bench/*.c", "examples/*.c", "test/**/*.c"):
        for number, name in calls(path, BANNED):
            problem(path, number, f"{name}(): use {BANNED[name]}")
    for path in sources("src/*/*.c"):
        if path.parts[1] != "cmd":
            for number, name in calls(path, BANNED_IN_LIBRARY):
                problem(path, number, f"{name}(): the library never prints and never exits")


def length():
    """A file over 600 lines or a function over 80 wants cutting."""
    for path in sources("src/*/*.[ch]", "include/**/*.h", "bench/*.c", "test/**/*.[ch]", "test/**/*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LINES_OF_FILE:
            problem(path, len(lines), f"{len(lines)} lines, more than {LINES_OF_FILE}")
        if path.suffix != ".c":
            continue
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > LINES_OF_FUNCTION:
                    problem(path, start, f"a function of {number - start - 1} lines, more than {LINES_OF_FUNCTION}")
                start = None


def registered():
    """A source that no meson.build names is not built, and a test that is not named is not run."""
    for path in sources("src/*/*.c"):
        if f"'{path.name}'" not in (path.parent / "meson.build").read_text(encoding="utf-8"):
            problem(path, 1, f"is not in {path.parent}/meson.build")
    listed = Path("test/meson.build").read_text(encoding="utf-8")
    for path in sources("test/unit/test_*.c"):
        if f"'{path.stem}'" not in listed:
            problem(path, 1, "is not in test/meson.build")
    listed = Path("test/fuzz/meson.build").read_text(encoding="utf-8")
    for path in sources("test/fuzz/fuzz_*.c"):
        if f"'{path.stem.removeprefix('fuzz_')}'" not in listed:
            problem(path, 1, "is not in test/fuzz/meson.build")


def schemas():
    try:
        import jsonschema
    except ImportError:
        skip("python3-jsonschema is not installed")
    found = list(sources("share/*.json"))
    for path in found:
        try:
            schema = json.loads(path.read_text(encoding="utf-8"))
            jsonschema.validators.validator_for(schema).check_schema(schema)
        except (ValueError, jsonschema.SchemaError) as error:
            problem(path, 1, str(error).splitlines()[0])
    if {path.name for path in found} < {"warren-network.schema.json", "warren-output.schema.json"}:
        problem("share", 0, "warren-network.schema.json and warren-output.schema.json are not both there")


def words():
    """Nothing half-done is left lying about, and lines end where their text does."""
    for path in sources("src/*/*", "include/**/*.h", "test/**/*.py", "test/**/*.[ch]", "examples/*", "share/*", "doc/*", "doc/man/*", "bench/*", "*.md", "meson.build", ".ci/*", "check", "try"):
        if path.is_dir() or str(path) == "test/lint/lint.py":
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                problem(path, number, "left to do")
            if line != line.rstrip():
                problem(path, number, "blanks at the end of the line")
        if text and not text.endswith("\n"):
            problem(path, text.count("\n") + 1, "no newline at the end")


# --- tools that others wrote --------------------------------------------------------------------------------------------

def skip(reason):
    print(reason)
    sys.exit(77)


def tool(name):
    path = shutil.which(name)
    if path is None:
        skip(f"{name} is not installed")
    return path


def tool_says(command, quiet=False):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0 or quiet and done.stdout.strip():
        problems.append(done.stdout.strip() or f"{command[0]} ended with status {done.returncode}")


def c_files():
    return list(sources("src/*/*.[ch]", "include/**/*.h", "test/**/*.[ch]", "bench/*.[ch]", "examples/*.[ch]"))


def clang_format():
    tool_says([tool("clang-format"), "--dry-run", "-Werror", *c_files()])


def cppcheck():
    """uninitvar is left to the compiler: cppcheck sees no call that fills a pointer in another file."""
    tool_says([tool("cppcheck"), "--quiet", "--error-exitcode=1", "--std=c11", "--language=c", "--enable=warning,performance,portability",
               "--inline-suppr", "--suppress=uninitvar", "--suppress=missingIncludeSystem", "--suppress=normalCheckLevelMaxBranches", "-D_GNU_SOURCE", "-D__linux__",
               "-Iinclude", "-Isrc", "-j2", "src", *sources("bench/*.c", "examples/*.c")])


def shellcheck():
    scripts = [path for path in [*sources(".ci/*", "check", "try", "bench/*", "test/**/*.sh")] if path.is_file() and
               path.read_bytes()[:2] == b"#!" and b"sh" in path.read_bytes().split(b"\n")[0]]
    tool_says([tool("shellcheck"), "-x", *scripts])


def codespell():
    ignored = Path("test/lint/words.txt")
    tool_says([tool("codespell"), "--ignore-words", ignored, "src", "include", "doc", "examples", "test", "share", "bench",
               *sources("*.md", "check", "try", ".ci/*")])


def clang_tidy(build):
    """With the allow-list of .clang-tidy, over what the build compiles of src/."""
    program = tool("clang-tidy")
    database = Path(build) / "compile_commands.json"
    here = Path.cwd()
    paths = sorted({(Path(entry["directory"]) / entry["file"]).resolve() for entry in json.loads(database.read_text())})
    paths = [path for path in paths if here / "src" in path.parents]

    def check(path):
        return subprocess.run([program, "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-format-nonliteral",
                               path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(check, paths):
            if done.returncode != 0 or done.stdout.strip():
                problems.append(done.stdout.strip())
    if not paths:
        problem(database, 0, "names no file of src/")


def manual(*pages):
    """Each page is formatted without a complaint, and says what a page must say."""
    program = tool("man")
    pages = [*pages, *map(str, sources("doc/man/*.[1-9]"))]
    for page in pages:
        done = subprocess.run([program, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
        if done.returncode != 0 or done.stderr.strip():
            problem(page, 0, done.stderr.strip() or f"status {done.returncode}")
        text = Path(page).read_text(encoding="utf-8")
        for section in ("NAME", "DESCRIPTION"):
            if not re.search(rf'^\.SH "?{section}\b', text, re.M):
                problem(page, 0, f"has no section {section}")
    if len(pages) < 2:
        problem("doc", 0, "no manual pages: this test sees nothing")


RULES = {
    "arrows": arrows, "pure": pure, "doors": doors, "banned": banned, "length": length, "registered": registered, "schemas": schemas,
    "words": words, "clang-format": clang_format, "cppcheck": cppcheck, "shellcheck": shellcheck, "codespell": codespell,
    "clang-tidy": clang_tidy, "manual": manual,
}
NEED_BUILD = {"clang-tidy"}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in RULES:
        sys.exit(f"usage: lint.py {'|'.join(RULES)} [ARGUMENT...]")
    name, arguments = sys.argv[1], sys.argv[2:]
    if name == "manual" or name in NEED_BUILD:
        RULES[name](*arguments)
    else:
        RULES[name]()
    for words_of_it in problems:
        print(words_of_it)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
