"""Filtered realistic ranks by the plainest loops, independent of the family's own code."""

import numpy as np


def rank(scores, target, others):
    """Mean of the best and the worst place of `target` among entities that are no other known answer."""
    better = equal = 0
    for entity, score in enumerate(scores):
        if entity == target or entity in others:
            continue
        better += score > scores[target]
        equal += score == scores[target]
    best, worst = better + 1, better + equal + 1
    return (best + worst) / 2


def ranks(score, triples, known, entities):
    """(n, 2) ranks of head and tail; `score(head, relation, tail)` is any function."""
    known = {tuple(triple) for triple in known.tolist()}
    found = []
    for head, relation, tail in triples.tolist():
        heads = [score(e, relation, tail) for e in range(entities)]
        tails = [score(head, relation, e) for e in range(entities)]
        found.append(
            (
                rank(heads, head, {e for e in range(entities) if (e, relation, tail) in known}),
                rank(tails, tail, {e for e in range(entities) if (head, relation, e) in known}),
            )
        )
    return np.array(found)
