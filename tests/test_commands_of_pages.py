"""Every command and code block of README, tutorials and how-to guides runs, in a copy of the project with small sizes.

A comment right above a block says what is different for the test:

    <!-- not run: REASON -->        the block is not run
    <!-- run with: PARAMETERS -->   further parameters for `kedro run`, which make it quick

Whole capital words such as VERSION are filled in from the runs so far.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.project import ROOT, environment

PAGES = [
    ROOT / "README.md",
    ROOT / "docs/index.md",
    ROOT / "docs/tutorials/ten-minutes.md",
    *sorted(set((ROOT / "docs/how-to").glob("*.md")) - {ROOT / "docs/how-to/own-data.md"}),
]
"""All but own-data.md, which shows the files of its commands: tests/test_own_data.py writes and runs those."""
BLOCK = re.compile(r"(?:<!-- (not run|run with): ([^>]*?) -->\n)?^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LIMITS = {"hyperbolic": {"source": {"max_depth": 3}}}
"""Further limits for the tests, since pages name large clades."""
KEDRO_RUN = ("kedro", "run")
NEEDS_A_RUN = ("kedro terrarium", "terrarium.load", "--tags=evaluation", "--from-nodes", "--load-versions")
"""What reads the results of an earlier run; a page that has one of these starts with a run of `hyperbolic`."""
FILES = {
    "mine.csv": "child,parent\n" + "\n".join(f"{i},{i // 2}" for i in range(1, 40)),
    "animals.csv": "id,parent,name,rank\nanimal,,Animals,kingdom\n"
    + "mammal,animal,Mammals,class\nbird,animal,Birds,class\n"
    + "\n".join(f"m{i},mammal,Mammal {i},species\nb{i},bird,Bird {i},species" for i in range(6)),
    "go-basic.obo": "format-version: 1.2\n\n[Term]\nid: GO:0008150\nname: biological_process\n"
    + "".join(f"\n[Term]\nid: GO:{i:07d}\nname: t{i}\nis_a: GO:0008150\n" for i in range(1, 9)),
    "mammals.nwk": "((Lemur:0.4,Homo:0.3)Primates:0.2,(Felis:0.5,Canis:0.4)Carnivora:0.1)Mammalia;",
    "my_graph/train.txt": "\n".join(f"e{i}\tknows\te{(i * 7 + 3) % 20}" for i in range(20)),
    "my_graph/valid.txt": "e1\tknows\te3\ne4\tknows\te5",
    "my_graph/test.txt": "e2\tknows\te9\ne6\tknows\te8",
    "my_graph/nodes.tsv": "id\tcategory\n" + "\n".join(f"X:{i}\tbiolink:Gene" for i in range(20)),
    "my_graph/edges.tsv": "subject\tpredicate\tobject\n"
    + "\n".join(f"X:{i}\tbiolink:related_to\tX:{(i * 7 + k) % 20}" for i in range(20) for k in (1, 3, 4)),
}
"""Files of one's own that the pages name."""


class Block(NamedTuple):
    """A code block: its language, its text, and the parameters that make it quick."""

    language: str
    text: str
    parameters: str


def blocks(path):
    """The blocks of a page that are run."""
    for kind, remark, language, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        if kind != "not run":
            yield Block(language, text, remark)


def commands(text):
    """The commands of a shell block: lines, with continued ones joined and comments removed."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def merged(base, changes):
    """The tree `base` with the values of `changes`."""
    both = dict(base)
    for name, value in changes.items():
        is_branch = isinstance(value, dict) and isinstance(base.get(name), dict)
        both[name] = merged(base[name], value) if is_branch else value
    return both


def make_copy(folder):
    """A copy of the project whose defaults are the small sizes of conf/test, with the files that pages name."""
    project = folder / "project"
    shutil.copytree(ROOT / "conf", project / "conf")
    for name in ("pyproject.toml", "benchmarks", "scripts", "tests", "Makefile"):
        os.symlink(ROOT / name, project / name)
    (project / "src").mkdir()  # empty: the code is found by PYTHONPATH, where its kernels are compiled
    for path in (ROOT / "conf/test/parameters").glob("*.yml"):
        base = project / "conf/base/parameters" / path.name
        trees = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (base, path)]
        if path.stem in LIMITS:
            trees.append({path.stem: LIMITS[path.stem]})
        base.write_text(yaml.safe_dump(reduce(merged, trees)), encoding="utf-8")
    for name, text in FILES.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return project


class Runner:
    """Runs blocks in a copy of the project."""

    def __init__(self, folder):
        self.folder, self.project = folder, make_copy(folder)
        self.environment = environment(
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]),
        )

    def run(self, *words):
        done = subprocess.run(
            words,
            cwd=self.project,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout[-4000:]}"
        return done.stdout

    def run_block(self, block):
        if block.language == "python":
            self.run(sys.executable, "-c", self._filled(block.text))
            return
        for words in commands(self._filled(block.text)):
            self._run_command(words, block.parameters)

    def _run_command(self, words, parameters):
        match words:
            case ["make", target, *_]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), target
            case ["kedro", "viz", action, *_]:
                self.run("kedro", "viz", action, "--help")
            case ["kedro", "run", *options]:
                given = next((word for word in options if word.startswith("--params=")), "--params=")
                others = [word for word in options if word != given]
                parts = [given.removeprefix("--params="), parameters, *self._further(given)]
                self.run(
                    *KEDRO_RUN, *others, *([f"--params={text}"] if (text := ",".join(filter(None, parts))) else [])
                )
            case _:
                self.run("bash", "-c", shlex.join(words) if ">" not in words else " ".join(map(_quoted, words)))

    def _further(self, given):
        """What a run needs since the defaults of the copy are small, and the taxa of a run stay apart from others.

        A file is read as a whole unless a clade of it is named. What names taxa of its own runs in a folder of its
        own: commands that read the newest run are for the default taxa.
        """
        if "hyperbolic.source.path=" in given and "hyperbolic.source.clade=" not in given:
            yield "hyperbolic.source.clade=null"
        if "hyperbolic.source." in given and "data_root=" not in given:
            yield f"data_root={self.folder}/others"

    def _filled(self, text):
        """The text with folders below the test's and with versions that exist."""
        text = re.sub(r"(?<![\w/])(/tmp|~)/", f"{self.folder}/", text)
        stamps = sorted(path.name for path in self.project.glob("data/06_models/hyperbolic/weights.safetensors/*"))
        runs = sorted(path.name for path in self.project.glob("data/08_reporting/runs/manifest.json/*"))
        values = {"VERSION": stamps[-1:], "OLD": runs[:1], "NEW": runs[-1:]}
        for word, found in values.items():
            text = re.sub(rf"\b{word}\b", found[0], text) if found else text
        return text


def _quoted(word):
    return word if word == ">" else shlex.quote(word)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_of_the_page_runs(path, tmp_path):
    found = list(blocks(path))
    if not found:
        pytest.skip("the page has no block to run")
    runner = Runner(tmp_path)
    if any(word in block.text for block in found for word in NEEDS_A_RUN):
        runner.run(*KEDRO_RUN, "--pipelines=hyperbolic")
    for block in found:
        runner.run_block(block)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_not_run_has_a_reason(path):
    for kind, remark, *_ in BLOCK.findall(path.read_text(encoding="utf-8")):
        assert kind != "not run" or len(remark.split()) >= 3
