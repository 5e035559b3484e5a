import numpy as np

from terrarium.kge.data.queries import KnownAnswers, batches, grouped, single, training_questions

from .graphs import random_graph


def as_sets(questions):
    row, answer, _ = questions.answers_of(np.arange(len(questions)))
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
    train = random_graph().parts["train"]
    assert as_sets(grouped(train, 4)) == brute(train)
    assert len(single(train)) == len(train)
    assert as_sets(single(train)) == brute(train)


def test_the_way_back_has_relations_of_its_own():
    train = random_graph().parts["train"]
    turned = np.stack([train[:, 2], train[:, 1] + 4, train[:, 0]], axis=1)
    found = training_questions(train, 4, all_answers=True, way_back=True)
    assert as_sets(found) == brute(train) | brute(turned)
    assert len(training_questions(train, 4, all_answers=False, way_back=False)) == len(train)


def test_answers_of_some_rows_come_in_their_order():
    questions = grouped(random_graph().parts["train"], 4)
    rows = np.array([5, 0, 5])
    row, answer, count = questions.answers_of(rows)
    assert row.tolist() == np.repeat([0, 1, 2], count).tolist()
    assert answer[row == 0].tolist() == answer[row == 2].tolist()


def test_known_answers_of_any_question_in_both_directions():
    graph = random_graph()
    known, truth = KnownAnswers(graph.known, 4), brute(graph.known)
    every = np.array([(e, r) for e in range(30) for r in range(4)])
    row, answer = known.of(every[:, 0], every[:, 1])
    found = {}
    for place, tail in zip(row, answer, strict=True):
        found.setdefault(tuple(every[place].tolist()), set()).add(int(tail))
    assert found == truth
    head, relation, tail = graph.known[0]
    assert head in known.of(np.array([tail]), np.array([relation + 4]))[1]


def test_batches_hold_each_row_once_and_never_one_alone():
    for count in range(2, 40):
        pieces = list(batches(np.arange(count), 4))
        assert np.concatenate(pieces).tolist() == list(range(count))
        assert all(2 <= len(piece) <= 5 for piece in pieces)
