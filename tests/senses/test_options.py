import pytest
from pydantic import ValidationError

from terrarium.hooks.parameters import check
from terrarium.senses.options import Options
from tests.senses.lexicon import options
from tests.test_parameters import parameters


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__growth__max_dim": 12}, "max_dim 12 is below model.dim 24: raise it"),
        ({"training__growth__expand_interval": 0}, "greater than 0"),
        ({"reference__training__growth__max_dim": 12}, "max_dim 12 is below model.dim 24: raise it"),
        ({"features__excluded_relations": ["loves"]}, r"excluded_relations\.0\s+Input should be 'also_see'"),
        ({"training__named_axes__enabled": True, "training__named_axes__axes": {}}, "names none: add axes"),
        ({"training__named_axes__axes": {"a": {"positive": ["x"], "negative": [], "neutral": []}}}, "at least 1"),
        (
            {"training__named_axes__axes": {"a": {"positive": ["x"], "negative": ["y", "z"], "neutral": []}}},
            "opposed in pairs",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


@pytest.mark.parametrize(
    ("branch", "old", "fault"),
    [
        (
            "training",
            "temperature",
            "was renamed: use senses.training.loss.temperature, which divides: 0.1 instead of 10",
        ),
        ("training", "unsupervised", "was renamed: use senses.training.named_axes.enabled, with the opposite value"),
        ("training", "opposition_weight", "was renamed: use senses.training.loss.antonym_weight"),
        ("training", "relation_rate", "was renamed: use senses.training.optimizer.relation_lr_factor"),
        ("features", "validation_share", "was renamed: use senses.features.val_fraction"),
        ("model", "generality", "was renamed: use senses.model.specificity_column"),
        ("evaluation", "truncations", "was renamed: use senses.evaluation.truncated_dims"),
        ("reporting", "top_words", "was renamed: use senses.reporting.num_words"),
    ],
)
def test_an_old_name_names_the_new_one(branch, old, fault):
    tree = parameters("test")
    tree["senses"][branch][old] = 1
    assert check({"senses": tree["senses"]}, {"senses": Options}) == [f"senses.{branch}.{old} {fault}"]


@pytest.mark.parametrize(
    ("branch", "old", "fault"),
    [
        ("training", "objective", "was removed: the reference recipe is a pipeline of its own"),
        ("features", "vocabulary", "was removed: the reference recipe is a pipeline of its own"),
        ("features", "axes", "was renamed: use senses.training.named_axes.axes"),
    ],
)
def test_an_option_that_was_removed_says_what_to_do(branch, old, fault):
    tree = parameters("test")
    tree["senses"][branch][old] = "documented"
    (line,) = check({"senses": tree["senses"]}, {"senses": Options})
    assert line.startswith(f"senses.{branch}.{old} {fault}")


def test_a_removed_option_does_not_hide_other_old_names():
    tree = parameters("test")
    tree["senses"]["training"] |= {"objective": "documented", "negatives": 5}
    lines = check({"senses": tree["senses"]}, {"senses": Options})
    assert [line.partition(":")[0] for line in lines] == [
        "senses.training.objective was removed",
        "senses.training.negatives was renamed",
    ]


def test_every_new_name_exists():
    def field_at(model, path):
        for name in path.partition(",")[0].split("."):
            field = model.model_fields[name]
            model = field.annotation
        return field

    def models(model):
        yield model
        for field in model.model_fields.values():
            if hasattr(field.annotation, "model_fields"):
                yield from models(field.annotation)

    for model in models(Options):
        for new in model.renamed.values():
            assert new.startswith("was ") or field_at(model, new).description, new


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__schedule__final_learning_rate": 1.0}, "final_learning_rate 1 is above"),
        ({"training__loss__matryoshka_dims": [40]}, "matryoshka_dims has 40, and there are 40 dimensions"),
        ({"training__stopping__metric": "validation_los"}, "validation_los is not measured: choose from loss"),
        ({"training__stopping__metric": "polarity_loss"}, "polarity_loss is not measured"),
        ({"features__walks__relation_weights": {"hypernym": 0.0}}, "relation_weights of hypernym"),
    ],
)
def test_settings_that_could_not_work_are_refused_before_training(changes, message):
    with pytest.raises(ValueError, match=message):
        options(**changes)


def test_losses_of_named_axes_are_measured_only_with_named_axes():
    changes = {"training__stopping__metric": "validation_polarity_loss", "training__named_axes__enabled": True}
    assert options(**changes).training.stopping.metric == "validation_polarity_loss"
