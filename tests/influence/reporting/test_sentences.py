import pandas as pd

from terrarium.influence.reporting.sentences import explanation


def rows(side, *triples):
    columns = ["train_head_name", "train_relation_name", "train_tail_name", "shared_ancestor"]
    return pd.DataFrame(triples, columns=columns).assign(side=side)


def test_relatives_with_the_same_fact_are_named_together():
    own = rows(
        "proponent",
        ("Lyssavirus rabies", "infects", "vertebrates", "Lyssavirus"),
        ("Lyssavirus lagos", "infects", "vertebrates", "Lyssavirus"),
        ("Lyssavirus rabies", "infects", "human", "Lyssavirus"),
        ("Lyssavirus australis", "infects", "vertebrates", "Lyssavirus"),
    )
    assert explanation(own) == [
        "For it speaks that each of Lyssavirus rabies and Lyssavirus lagos, related through Lyssavirus, infects "
        "vertebrates and Lyssavirus rabies, related through Lyssavirus, infects human."
    ]


def test_opponents_come_after_proponents_and_strangers_are_not_called_related():
    both = pd.concat([rows("proponent", ("a", "likes", "b", "")), rows("opponent", ("c", "likes", "d", ""))])
    assert explanation(both) == ["For it speaks that a likes b.", "Against it speaks that c likes d."]
    assert explanation(both[:0]) == []
