from functools import reduce
from operator import getitem

import pytest
from pydantic import ValidationError

from terrarium.hooks.parameters import check
from terrarium.kge.options import Options
from terrarium.sources.graphs.graph_source import Names, relation_table
from tests.kge.graphs import options
from tests.test_parameters import parameters


def image(dim, height, width, stack_axis="height", kernel=3):
    changes = {"dim": dim, "embedding_height": height, "embedding_width": width, "stack_axis": stack_axis}
    changes |= {"kernel_height": kernel, "kernel_width": kernel}
    return options(**{f"model__{name}": value for name, value in changes.items()}).model.image()


@pytest.mark.parametrize(("dim", "sides"), [(200, (10, 20)), (64, (8, 8)), (128, (8, 16)), (32, (4, 8)), (7, (1, 7))])
def test_sides_follow_the_dimension(dim, sides):
    shape = image(dim, None, None, kernel=1)
    assert (shape.height, shape.width) == sides


def test_one_side_gives_the_other():
    assert image(200, 20, None).width == 10
    assert image(200, None, 10).height == 20


@pytest.mark.parametrize(("stack", "expected"), [("height", (18, 18)), ("width", (8, 38))])
def test_the_map_is_what_the_filters_leave(stack, expected):
    shape = image(200, 10, 20, stack)
    assert (shape.map_height, shape.map_width) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__embedding_height": 10, "model__embedding_width": 20}, "is 200, not dim 16"),
        ({"model__embedding_height": 3}, "is 15, not dim 16"),
        ({"model__kernel_width": 9}, "kernel 3 x 9 is larger"),
        ({"model__name": "complex", "model__dim": 15}, "dim 15 is odd"),
        ({"source__path": None}, "set path to their folder"),
        ({"training__memory__entity_chunk_size": 8, "training__precision": "64-true"}, "set it to 0"),
        ({"training__batch_size": 1}, "greater than 1"),
        (
            {"training__stopping__metric": "validation_mmr"},
            r"stopping\.metric\s+Input should be 'auto', 'loss', 'vali",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


BASELINE = {
    "training.precision": "32-true",
    "training.batch_size": 256,
    "training.memory.cleanup": False,
    "training.memory.gradient_checkpointing": False,
    "training.optimizer.learning_rate": 0.001,
    "training.loss.label_smoothing": 0.1,
    "training.optimizer.name": "adam",
    "training.loss.name": "bce",
    "model.name": "conve",
    "model.dim": 200,
    "model.output_channels": 32,
    "model.kernel_height": 3,
    "model.kernel_width": 3,
    "model.input_dropout": 0.2,
    "model.feature_map_dropout": 0.2,
    "model.output_dropout": 0.3,
}
FAST = {
    "training.precision": "mixed",
    "training.batch_size": 512,
    "training.max_epochs": 20,
    "training.memory.cleanup": True,
}
SAVING = {"training.batch_size": 1024, "training.memory.gradient_checkpointing": True}
REFERENCE = {
    "model.entity_bias": False,
    "model.inverse_relations": False,
    "model.embedding_height": 10,
    "model.embedding_width": 20,
    "model.stack_axis": "width",
    "training.train_type": "1vsAll",
    "training.memory.cleanup": True,
    "training.max_epochs": 100,
    "training.checkpoints.keep_every": 2,
}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("recipes/knowledge_graph/conve_baseline", BASELINE),
        ("recipes/knowledge_graph/conve_fast", BASELINE | FAST),
        ("recipes/knowledge_graph/conve_max_memory_savings", BASELINE | FAST | SAVING),
        ("recipes/knowledge_graph/reference_conve", BASELINE | REFERENCE),
    ],
)
def test_the_recipes_have_the_numbers_of_the_notes(environment, expected):
    tree = parameters(environment)["knowledge_graph"]
    tree["source"]["path"] = "somewhere"
    Options.model_validate(tree)
    found = {name: reduce(getitem, name.split("."), tree) for name in expected}
    assert found == expected


def test_the_recipe_of_fb15k_237_is_whole():
    tree = parameters("recipes/knowledge_graph/complex_fb15k237")["knowledge_graph"]
    chosen = Options.model_validate(tree)
    assert (chosen.source.kind, chosen.source.dataset) == ("pyg", "FB15k_237")
    assert (chosen.model.dim, chosen.training.loss.n3_weight, chosen.training.batch_size) == (2000, 0.05, 1000)


def test_the_recipe_of_wn18rr_is_that_of_the_benchmarks():
    chosen = Options.model_validate(parameters("recipes/knowledge_graph/complex_wn18rr")["knowledge_graph"])
    assert (chosen.source.kind, chosen.source.dataset) == ("pyg", "WordNet18RR")
    assert (chosen.model.dim, chosen.training.loss.n3_weight, chosen.training.batch_size) == (128, 0.1, 128)
    assert (chosen.training.query_weight, chosen.model.entity_bias) == ("by_num_answers", False)
    assert chosen.training.max_epochs == 24


def test_the_shape_is_conves_alone():
    assert options(model__name="distmult", model__embedding_height=3).model.embedding_height == 3


@pytest.mark.parametrize(
    ("old", "value", "advice"),
    [
        ("source.faults", "skip", "use knowledge_graph.source.on_error"),
        ("features.by", "pair", "use knowledge_graph.features.split_by"),
        ("features.valid_share", 0.1, "use knowledge_graph.features.val_fraction"),
        ("model.scorer", "conve", "use knowledge_graph.model.name"),
        ("model.reciprocal", True, "use knowledge_graph.model.inverse_relations"),
        ("training.targets", "all", "use knowledge_graph.training.train_type, KvsAll (was all)"),
        ("training.row_weight", "answers", "use knowledge_graph.training.query_weight, equal or by_num_answers"),
        ("training.optimiser", "adam", "use knowledge_graph.training.optimizer.name"),
        ("training.nuclear_norm_weight", 0.1, "use knowledge_graph.training.loss.n3_weight"),
        ("training.entity_chunk", 10, "use knowledge_graph.training.memory.entity_chunk_size"),
        ("training.validation_every", 2, "use knowledge_graph.training.validation.interval"),
        ("evaluation.scores_mb", 10, "use knowledge_graph.evaluation.score_memory_mb"),
        ("evaluation.predict.top", 3, "use knowledge_graph.evaluation.predict.top_k"),
        ("reporting.relations", 3, "use knowledge_graph.reporting.num_relations"),
        ("training.loss.name", "softmax", "softmax was renamed: use cross_entropy"),
        ("training.loss", "softmax", "is a block of options: use knowledge_graph.training.loss.name=cross_entropy"),
    ],
)
def test_an_old_name_says_what_to_write_now(old, value, advice):
    tree = parameters("test")["knowledge_graph"]
    *branch, last = old.split(".")
    reduce(getitem, branch, tree)[last] = value
    (line,) = check({"knowledge_graph": tree}, {"knowledge_graph": Options})
    assert line.startswith(f"knowledge_graph.{old}")
    assert advice in line


def test_every_new_name_of_a_renamed_option_exists():
    def models(model, path=""):
        yield path, model
        for name, field in model.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                yield from models(field.annotation, f"{path}{name}.")

    for _, model in models(Options):
        for new in model.renamed.values():
            found = model
            for part in new.split(",")[0].split("."):
                assert part in found.model_fields, new
                found = found.model_fields[part].annotation


@pytest.mark.parametrize(
    ("default", "given", "expected"), [("pair", None, "pair"), ("head", None, "head"), ("head", "pair", "pair")]
)
def test_split_by_is_the_sources_choice_where_none_is_made(default, given, expected):
    relations = relation_table(Names({"r": 0, "s": 1}), split_by=default)
    assert options(features__split_by=given).features.with_source_choice(relations, ["s"]).split_by == expected


@pytest.mark.parametrize(
    ("kind", "path", "chosen"),
    [
        (None, None, "virus_host"),
        (None, "folder", "files"),
        ("kgx", "folder", "kgx"),
        ("virus_host", None, "virus_host"),
    ],
)
def test_a_path_alone_reads_files(kind, path, chosen):
    assert options(source__kind=kind, source__path=path).source.chosen_kind == chosen
