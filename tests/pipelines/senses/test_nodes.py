import numpy as np
import pandas as pd
import pytest

from terrarium.common.vectors import coordinates
from terrarium.pipelines.senses import nodes, reference_nodes
from terrarium.pipelines.senses.validators import check_vectors
from terrarium.senses.data.relations import ANTONYM, IS_A
from terrarium.senses.models.vectors import unit_rows
from terrarium.senses.reporting import figures
from terrarium.senses.reporting.report import report_page
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.store import TrainingStore
from tests.senses.lexicon import PROBLEM_TABLES, options, tables

WORDS = pd.DataFrame(
    {
        "dataset": "toy",
        "word1": ["hot", "dog", "car"],
        "word2": ["cold", "cat", "rose"],
        "score": [1, 8, 2.0],
        "pos": "",
    }
)
EVALUATED = ("synsets", "senses", "pairs", "unseen_ancestors")


def run_default(folder, chosen):
    made = tables()
    store = TrainingStore(folder)
    trained = nodes.train(*(made[name] for name in PROBLEM_TABLES), store, chosen.model, chosen.training)
    exported = nodes.export_vectors(made["synsets"], made["senses"], made["pairs"], trained["weights"])
    evaluated = (made[name] for name in EVALUATED)
    return {
        **made,
        **trained,
        **exported,
        **nodes.evaluate(*evaluated, WORDS, trained["weights"], trained["initial_weights"], chosen.evaluation),
    }


def run_reference(folder, chosen):
    made = tables()
    built = reference_nodes.build_edges(made["synsets"], made["senses"], made["relations"])
    own = chosen.reference
    trained = reference_nodes.train(
        **built, training_state=TrainingStore(folder), model=own.model, training=own.training
    )
    items, weights = built["items"], trained["weights"]
    vectors = reference_nodes.export_vectors(items, made["synsets"], made["senses"], weights)
    evaluated = (made[name] for name in EVALUATED)
    return {
        **made,
        **built,
        **trained,
        "vectors": vectors,
        **reference_nodes.evaluate(items, *evaluated, WORDS, weights, trained["initial_weights"], chosen.evaluation),
    }


@pytest.fixture(scope="module", params=[run_default, run_reference])
def finished(request, tmp_path_factory):
    """Options and the datasets of a run, of either pipeline."""
    chosen = options()
    return chosen, request.param(tmp_path_factory.mktemp("senses"), chosen)


def test_each_sense_has_a_vector_of_length_one(finished):
    _, made = finished
    vectors = made["vectors"]
    assert vectors.columns[:6].tolist() == ["sense_key", "lemma", "pos", "sense_number", "synset", "x0"]
    assert len(vectors) == len(made["senses"])
    check_vectors(vectors)
    assert vectors.set_index("sense_key").loc["dog%1:05:00::", "synset"] == "dog.n.01"


def test_metrics_can_be_computed_again_from_the_exported_tables(finished):
    _, made = finished
    if "operators" not in made:
        return
    operators, pairs = dict(list(made["operators"].groupby(["relation", "inverse"]))), made["pairs"]
    synsets, metrics = coordinates(made["synset_vectors"]), made["metrics"]

    def query(rows, inverse):
        return unit_rows(np.insert(rows, 0, 1, axis=1) @ coordinates(operators["hypernym", inverse]))

    def score(child, parent):
        return (query(child, False) * parent).sum(1) + (query(parent, True) * child).sum(1)

    chosen = pairs[pairs["relation"].isin(IS_A) & (pairs["split"] == "test")]
    child, parent = synsets[chosen["head"]], synsets[chosen["tail"]]
    assert (score(child, parent) > score(parent, child)).mean() == pytest.approx(metrics["is_a_direction"])
    polar = coordinates(operators["antonym", False])[1:].diagonal() == -1
    assert polar.mean() == pytest.approx(metrics["polar_dimensions"])
    antonyms = pairs[(pairs["relation"] == ANTONYM) & (pairs["split"] == "train")]
    senses = coordinates(made["vectors"])
    opposition = np.minimum(senses[antonyms["head_sense"]] * senses[antonyms["tail_sense"]], 0)
    energy = opposition[:, polar].sum() / opposition.sum()
    assert energy == pytest.approx(metrics["antonym_polar_energy_trained"], abs=1e-5)


def test_metrics_are_finite_and_have_a_random_baseline(finished):
    _, made = finished
    assert all(isinstance(value, float) and np.isfinite(value) for value in made["metrics"].values())
    assert {"toy_spearman", "antonym_text_auc_random", "is_a_direction", "exact_zeros", "test_mrr"} <= made[
        "metrics"
    ].keys()
    assert {"trained", "untrained", "random", "PCA to 4"} <= set(made["variant_metrics"]["variant"])
    assert (made["relation_metrics"]["mrr"] <= 1).all()


def test_the_report_shows_everything(finished):
    chosen, made = finished
    names = ("training_summary", "history", "metrics", "variant_metrics", "relation_metrics", "axes", "vectors")
    page = report_page(
        **{name: made[name] for name in names},
        relation_counts=made["relation_counts"],
        reporting=chosen.reporting,
        figure_loss=figures.loss_figure(made["history"]),
        figure_growth=figures.growth_figure(made["history"]),
        figure_similarity=figures.similarity_figure(made["variant_metrics"]),
        figure_sparsity=figures.sparsity_figure(made["variant_metrics"]),
        figure_relations=figures.relation_figure(made["relation_metrics"]),
    )
    for text in ("How good the vectors are", "Held-out relations", "Nearest senses", "hot%3:00:00::", "similar to"):
        assert text in page
    assert page.count('<figure role="img"') == 5


def test_weights_of_another_split_or_other_items_are_refused(finished):
    _, made = finished
    if "items" in made:
        with pytest.raises(MismatchedArtifactsError, match="other items"):
            reference_nodes.export_vectors(made["items"][1:], made["synsets"], made["senses"], made["weights"])
        return
    other = made["pairs"].assign(split="train")
    with pytest.raises(MismatchedArtifactsError, match="another split"):
        nodes.export_vectors(made["synsets"], made["senses"], other, made["weights"])


def test_excluded_relations_are_not_trained_on():
    made, chosen = tables(), options(features__excluded_relations=["derivation", "antonym"])
    pairs = nodes.split_relations(made["relations"], made["synsets"], chosen.features)
    assert len(pairs) < len(made["pairs"])
    assert set(made["pairs"]["relation"]) - set(pairs["relation"])


def test_words_of_axes_that_wordnet_lacks_are_named(tmp_path):
    axes = {"a": {"positive": ["unicorn"], "negative": ["dog"], "neutral": []}}
    chosen = options(training__named_axes__axes=axes, training__named_axes__enabled=True)
    made = (tables()[name] for name in PROBLEM_TABLES)
    with pytest.raises(ValueError, match="lacks: unicorn"):
        nodes.train(*made, TrainingStore(tmp_path), chosen.model, chosen.training)
