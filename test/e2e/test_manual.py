"""The network files that stand in warren-network(5) and in README.md go up, are as they say, and go down; and every key that the reader
knows is in the manual."""

import re

import pytest
from conftest import TOP

PAGE, README = TOP / "doc" / "man" / "warren-network.5", TOP / "README.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests here: runs in the pass as root")


def examples():
    if not PAGE.exists():
        return []
    text = PAGE.read_text(encoding="utf-8")
    blocks = [plain(block).split("\n$ ")[0] for block in re.findall(r"^\.EX\n(.*?)^\.EE", text, re.S | re.M)]
    blocks += re.findall(r"^```yaml\n(.*?)^```", README.read_text(encoding="utf-8"), re.S | re.M)
    return [block for block in blocks if re.match(r"(name|bridges|namespaces|links):", block)]


def plain(roff):
    for escape, text in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\&", ""), ("\\(rs", "\\")):
        roff = roff.replace(escape, text)
    return roff


def test_there_are_examples():
    assert len(examples()) >= 8


@pytest.mark.parametrize("number", range(len(examples())))
def test_example(box, number):
    path = box.write("page.yaml", examples()[number])
    with box.leaves_nothing():
        box.warren("up", path)
        again = box.warren("up", path)
        assert "nothing to do" in again.out + again.err
        box.warren("status", path)
        box.warren("down", path)


def test_every_key_is_described():
    text = plain(re.sub(r"\\f[BIRP]", "", PAGE.read_text(encoding="utf-8")))
    keys = set()
    for path in (TOP / "src" / "file").glob("*.c"):
        for table in re.findall(r"const struct wr_nf_key \w+\[\] = \{(.*?)\{0\}", path.read_text(encoding="utf-8"), re.S):
            keys |= set(re.findall(r'\{"(\w+)"', table))
    assert len(keys) > 30
    assert not {key for key in keys if not re.search(rf"\b{key}\b", text)}
