import pytest

from benchmarks import scenes_recipes as benchmark
from benchmarks.scenes import LABELS, MEASURES, RECIPES


def measured(seed):
    return {
        benchmark.TRAINED: dict.fromkeys((*MEASURES, "first loss", "last loss"), 0.5 + seed),
        benchmark.UNTRAINED: dict.fromkeys(MEASURES, 0.25 + seed),
        benchmark.GRAPHLETS: dict.fromkeys(MEASURES, 1.0),
    }


def test_a_row_says_what_training_gains_within_each_seed():
    environment = "recipes/scenes/graph_embedding_tuned"
    recipe, graphlets = benchmark.rows_of({environment: [measured(seed) for seed in range(3)]})
    assert (recipe["recipe"], recipe["claimed"]) == ("graph_embedding_tuned", RECIPES[environment])
    for label in LABELS:
        assert recipe[label].startswith("1.500 ±")
        assert recipe[f"{label}, untrained"].startswith("1.250 ±")
        assert recipe[f"{label}, gained"] == "0.250"
        assert graphlets[label] == "1.000"


@pytest.mark.parametrize("environment", RECIPES)
def test_recipes_have_the_same_scenes_epochs_and_seed(environment):
    options = benchmark.options_of_recipe(environment, 2)
    assert sum(variant.scenes for variant in options.source.variants.values()) == benchmark.SCENES
    assert (options.training.max_epochs, options.training.precision) == (benchmark.EPOCHS, "32-true")
    seeds = (options.source.simulator.seed, options.features.seed, options.evaluation.seed, options.model.seed)
    assert {*seeds, options.training.seed} == {2}
