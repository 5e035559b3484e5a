"""Old and misspelt environments are answered with the name to use."""

import pytest

from terrarium.hooks.environments import RENAMED, EnvironmentNameError, list_recipes, require_environment
from tests.project import ROOT, kedro

CONF = ROOT / "conf"


def test_every_old_name_leads_to_a_recipe():
    assert {f"recipes/{recipe}" for recipe in RENAMED.values()} <= set(list_recipes(CONF))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("conve_documented", r"use --env=recipes/knowledge_graph/"),
        ("recipes/hyperbolic/v33", r"did you mean --env=recipes/hyperbolic/v\d\?"),
        ("v2", r"did you mean --env=recipes/hyperbolic/v2\?"),
        ("tests", r"did you mean --env=test\?"),
        ("nonsense", r"see the folders of conf/ and conf/recipes/"),
    ],
)
def test_an_environment_that_does_not_exist_is_answered(name, answer):
    with pytest.raises(EnvironmentNameError, match=f"There is no environment {name}: {answer}"):
        require_environment(CONF, name)


@pytest.mark.parametrize("name", [None, "local", "test", "recipes/hyperbolic/v2"])
def test_environments_that_exist_are_taken(name):
    require_environment(CONF, name)


def test_the_command_line_answers_in_one_line():
    done = kedro("run", "--env=hyperbolic_v2", check=False)
    assert done.returncode == 1
    assert (
        done.stdout.splitlines()[-1] == "Error: There is no environment hyperbolic_v2: use --env=recipes/hyperbolic/v2"
    )
    assert "Traceback" not in done.stdout
