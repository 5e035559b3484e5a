import numpy as np

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.evaluation import antonym_pairs
from tests.senses.lexicon import lexicon


def test_both_ends_of_each_pair_have_a_training_link():
    given, rng = lexicon(), np.random.default_rng(0)
    row = given.senses["synset_row"].to_numpy()
    trained = given.relations[given.relations["split"] == "train"]
    linked = set(trained["head"]) | set(trained["tail"])
    made = [
        antonym_pairs.random_adjectives(given, 20, rng),
        *(antonym_pairs.direct_antonyms(given, split) for split in ("train", "validation", "test")),
        *(antonym_pairs.near_synonyms(given, split) for split in ("train", "validation", "test")),
    ]
    assert sum(pairs.size for pairs in made) > 0
    for pairs in made:
        assert set(row[pairs.first]) | set(row[pairs.second]) <= linked
        assert (row[pairs.first] != row[pairs.second]).all()


def test_satellites_of_antonymous_heads_and_of_one_head():
    given, rng = lexicon(), np.random.default_rng(0)
    row = given.senses["synset_row"].to_numpy()
    similar = given.relations[given.relations["relation"] == RELATIONS.index("similar_to")]
    joined = {frozenset(ends) for ends in similar[["head", "tail"]].itertuples(index=False, name=None)}
    heads = [
        frozenset(joined_to for joined_to in given.synsets.index if frozenset((joined_to, r)) in joined)
        for r in given.synsets.index
    ]
    mates = antonym_pairs.cluster_mates(given, rng)
    assert all(heads[a] & heads[b] for a, b in zip(row[mates.first], row[mates.second], strict=True))
    apart = antonym_pairs.indirect_antonyms(given, "train", rng)
    assert all(a != b for a, b in zip(row[apart.first], row[apart.second], strict=True))
