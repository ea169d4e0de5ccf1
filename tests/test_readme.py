"""What the README shows is what happens. (Its two commands are run by ``.ci/run``.)"""

import contextlib
import io
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```\n", TEXT, re.S)


def test_the_ten_line_program_prints_what_the_page_shows():
    program = next(code for language, code in BLOCKS if language == "python")
    shown = BLOCKS[BLOCKS.index(("python", program)) + 1][1]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(program, {"__name__": "__main__"})
    assert out.getvalue() == shown


def test_it_opens_with_the_two_commands_and_the_other_minitorch():
    first_screen = TEXT[:2500]
    assert "Cornell" in first_screen and "minitorch-xp" in first_screen
    commands = next(code for language, code in BLOCKS if language == "bash")
    assert commands.count("\n") == 2 and "pytest" in commands and "minitorch train" in commands


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", TEXT))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_the_operator_it_shows_is_the_one_in_the_code():
    rules = [code for language, code in BLOCKS if language == "python" and "@primitive" in code]
    source = (ROOT / "minitorch" / "ops" / "elementwise.py").read_text()
    assert len(rules) == 2
    for code in rules:
        lines = re.findall(r"(lambda xp.*\w|def \w+.*|    return .*)", code)
        assert len(lines) >= 3
        for line in lines:
            assert line in source


def test_the_update_it_shows_is_the_one_in_the_code():
    code = next(code for language, code in BLOCKS if language == "python" and "def update" in code)
    source = (ROOT / "minitorch" / "optim" / "adadelta.py").read_text()
    assert textwrap.indent(code, "    ") in source
