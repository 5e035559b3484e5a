"""The wheel: built from the sources, it holds all files of the package and can be installed and imported."""

import shutil
import subprocess
import sys
import zipfile

import pytest

import terrarium
from tests.project import ROOT, environment

FILES = {
    path.relative_to(ROOT / "src").as_posix()
    for path in (ROOT / "src/terrarium").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}


def python(*words, cwd=None, **extra):
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built without an environment of its own, so that no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    python("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source))
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_every_module_template_and_data_file(wheel):
    assert wheel.name.startswith(f"terrarium-{terrarium.__version__}-py3-none-any")
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) >= FILES


def test_the_wheel_can_be_installed_and_used_outside_the_project(wheel, tmp_path):
    target = tmp_path / "site"
    python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    code = (
        "import terrarium; found = terrarium.embed([('cat', 'felids'), ('felids', 'mammals')], dim=3);"
        "print(terrarium.__file__, found.is_a('cat', 'mammals'));"
        "from terrarium.claims.ledger import claim_table; print(len(claim_table()))"
    )
    shown = python("-c", code, cwd=tmp_path, PYTHONPATH=str(target))
    assert shown.startswith(str(target))
    assert int(shown.split()[-1]) >= 60
