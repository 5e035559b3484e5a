import numpy as np

from terrarium.kge.data.queries import KnownAnswers, group_by_query, training_queries

from tests.kge.graphs import random_graph


def as_sets(questions):
    row, answer, _ = questions.select_answers(np.arange(len(questions)))
    found = {}
    for place, tail in zip(row, answer, strict=True):
        found.setdefault((int(questions.entity[place]), int(questions.relation[place])), set()).add(int(tail))
    return found


def brute(triples):
    found = {}
    for head, relation, tail in triples.tolist():
        found.setdefault((head, relation), set()).add(tail)
    return found


def test_a_question_has_all_its_answers():
    train = random_graph().splits["train"]
    assert as_sets(group_by_query(train, 4)) == brute(train)
    assert len(training_queries(train, 4, train_type="1vsAll", inverse_relations=False)) == len(train)
    assert as_sets(training_queries(train, 4, train_type="1vsAll", inverse_relations=False)) == brute(train)


def test_the_way_back_has_relations_of_its_own():
    train = random_graph().splits["train"]
    turned = np.stack([train[:, 2], train[:, 1] + 4, train[:, 0]], axis=1)
    found = training_queries(train, 4, train_type="KvsAll", inverse_relations=True)
    assert as_sets(found) == brute(train) | brute(turned)
    assert len(training_queries(train, 4, train_type="1vsAll", inverse_relations=False)) == len(train)


def test_answers_of_some_rows_come_in_their_order():
    questions = group_by_query(random_graph().splits["train"], 4)
    rows = np.array([5, 0, 5])
    row, answer, count = questions.select_answers(rows)
    assert row.tolist() == np.repeat([0, 1, 2], count).tolist()
    assert answer[row == 0].tolist() == answer[row == 2].tolist()


def test_known_answers_of_any_question_in_both_directions():
    graph = random_graph()
    known, truth = KnownAnswers(graph.known_triples, 4), brute(graph.known_triples)
    every = np.array([(e, r) for e in range(30) for r in range(4)])
    row, answer = known.lookup(every[:, 0], every[:, 1])
    found = {}
    for place, tail in zip(row, answer, strict=True):
        found.setdefault(tuple(every[place].tolist()), set()).add(int(tail))
    assert found == truth
    head, relation, tail = graph.known_triples[0]
    assert head in known.lookup(np.array([tail]), np.array([relation + 4]))[1]
