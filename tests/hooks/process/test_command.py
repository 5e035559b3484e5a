import shlex

from terrarium.hooks.process.command import command_of

MANIFEST = {
    "pipelines": ["senses", "scenes"],
    "environment": "recipes/scenes/carla",
    "filters": {"tags": ["training"], "node_names": ["a", "b"]},
    "load_versions": {"senses.pairs": "2026"},
    "only_missing_outputs": True,
    "runtime_params": {"data_root": "/a b", "senses": {"training": {"max_epochs": 3, "named_axes": None}}},
}


def test_a_run_is_given_by_its_manifest():
    assert shlex.split(command_of(MANIFEST)) == [
        "kedro",
        "run",
        "--pipelines=senses,scenes",
        "--env=recipes/scenes/carla",
        "--tags=training",
        "--nodes=a,b",
        "--load-versions=senses.pairs:2026",
        "--only-missing-outputs",
        "--params=data_root=/a b,senses.training.max_epochs=3,senses.training.named_axes=null",
    ]


def test_the_default_run_has_no_options():
    assert command_of({"pipelines": ["__default__"]}) == command_of({}) == "kedro run"
