import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from terrarium.pipelines.senses import nodes
from terrarium.pipelines.senses import reporting_nodes as presentation
from terrarium.pipelines.senses.validators import antonyms_are_there, vectors_have_length_one
from terrarium.senses.options import Options
from terrarium.training.checkpointing.store import TrainingStore

from .lexicon import options, tables


def run(folder, chosen):
    made = dict(tables())
    items, edges = nodes.build_edges(made["synsets"], made["senses"], made["relations"], chosen.features)
    names = ("synsets", "senses", "pairs", "ancestors", "information")
    weights, _, history, summary = nodes.train(
        *(made[name] for name in names),
        *(items, edges, TrainingStore(folder), chosen.model, chosen.training, chosen.features),
    )
    vectors = nodes.export_vectors(made["synsets"], made["senses"], made["pairs"], items, weights)
    words = pd.DataFrame(
        {"dataset": "toy", "word1": ["hot", "dog", "car"], "word2": ["cold", "cat", "rose"], "score": [1, 8, 2.0]}
    )
    measured = nodes.evaluate(
        *(made[name] for name in ("synsets", "senses", "pairs", "unseen")), words, items, weights, chosen.evaluation
    )
    return made, weights, history, summary, vectors, measured


@pytest.fixture(scope="module", params=["contrastive", "documented"])
def finished(request, tmp_path_factory):
    changes = {} if request.param == "contrastive" else {"features__vocabulary": "documented"}
    chosen = options(training__objective=request.param, **changes)
    return chosen, run(tmp_path_factory.mktemp("senses"), chosen)


def test_there_is_a_vector_of_length_one_a_sense(finished):
    _, (made, _, _, _, vectors, _) = finished
    assert vectors.columns[:5].tolist() == ["sense_key", "lemma", "pos", "synset", "x0"]
    assert len(vectors) == len(made["senses"])
    vectors_have_length_one(vectors)
    assert vectors.set_index("sense_key").loc["dog%1:05:00::", "synset"] == "dog.n.01"


def test_metrics_are_finite_numbers_beside_a_null(finished):
    _, (*_, (metrics, variants, relations, _)) = finished
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())
    assert {"toy_spearman", "antonym_auc_synonym", "is_a_direction", "exact_zeros", "test_mrr"} <= metrics.keys()
    assert {"trained", "random", "PCA to 4"} <= set(variants["variant"])
    assert (relations["mrr"] <= 1).all()


def test_the_report_shows_everything(finished):
    chosen, (made, _, history, summary, vectors, (metrics, variants, relations, axes)) = finished
    figures = [*presentation.draw_training(history), *presentation.draw_quality(variants, relations)]
    page = presentation.write_report(
        *(made["counts"], summary, history, metrics, variants, relations, axes, vectors, chosen.reporting, *figures)
    )
    for text in ("How good the vectors are", "Held-out relations", "Nearest senses", "hot%3:00:00::", "similar to"):
        assert text in page
    assert page.count('<figure role="img"') == 5


def test_weights_of_another_split_are_refused(finished):
    chosen, (made, weights, *_) = finished
    other = made["pairs"].assign(part=0)
    if chosen.training.objective == "documented":
        nodes.check_weights(weights, nodes.lexicon_fingerprint(made["synsets"], other))
        return
    with pytest.raises(nodes.WrongLexiconError, match="another split"):
        nodes.check_weights(weights, nodes.lexicon_fingerprint(made["synsets"], other))


def test_left_out_relations_are_not_trained_on():
    made, chosen = tables(), options(features__leave_out=["derivation", "antonym"])
    pairs = nodes.split_relations(made["relations"], made["synsets"], chosen.features)
    assert len(pairs) < len(made["pairs"])
    assert set(made["pairs"]["relation"]) - set(pairs["relation"])


def test_a_table_of_vectors_that_are_not_of_length_one_is_not_saved():
    with pytest.raises(ValueError, match=r"1 vectors do not have length 1, such as b%1 with 2"):
        vectors_have_length_one(pd.DataFrame({"sense_key": ["a%1", "b%1"], "x0": [1.0, 2.0]}))


def test_pairs_without_antonyms_to_train_on_are_not_saved():
    pairs = tables()["pairs"]
    antonyms_are_there(pairs)
    with pytest.raises(ValueError, match="all antonyms are held out"):
        antonyms_are_there(pairs.assign(part=2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__growth__max_dim": 12}, "max_dim 12 is below model.dim 24: raise it"),
        ({"training__growth__expand_interval": 0}, "greater than 0"),
        ({"features__leave_out": ["loves"]}, "leave_out names loves"),
        ({"training__objective": "documented"}, "documented together"),
        ({"training__unsupervised": False, "features__axes": {}}, "names none: add axes"),
        ({"features__axes": {"a": {"positive": ["x"], "negative": [], "neutral": []}}}, "at least 1"),
        ({"features__axes": {"a": {"positive": ["x"], "negative": ["y", "z"], "neutral": []}}}, "opposed in pairs"),
    ],
)
def test_options_that_do_not_fit_are_told(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


def test_a_matryoshka_of_the_documented_objective_is_refused():
    with pytest.raises(ValidationError, match="neither matryoshka"):
        options(training__objective="documented", features__vocabulary="documented", training__matryoshka=[4])
    assert isinstance(options(), Options)


def test_words_of_axes_that_wordnet_lacks_are_named():
    axes = {"a": {"positive": ["unicorn"], "negative": ["dog"], "neutral": []}}
    chosen = options(features__axes=axes, training__unsupervised=False)
    made = tables()
    names = ("synsets", "senses", "pairs", "ancestors", "information")
    with pytest.raises(ValueError, match="lacks: unicorn"):
        nodes.problem_of(*(made[name] for name in names), chosen.features, chosen.training)
