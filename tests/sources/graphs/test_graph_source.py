from terrarium.sources.graphs.graph_source import Names, TripleColumns, display_name, relation_table, triple_table


def test_names_keep_their_first_number():
    names = Names()
    assert [names.number(name) for name in "abca"] == [0, 1, 2, 0]
    assert (list(names), len(names)) == (["a", "b", "c"], 3)


def test_codes_of_a_table_are_the_numbers():
    entities, relations, columns = Names({"a": 0, "b": 1}), Names({"r": 0}), TripleColumns()
    columns.add(1, 0, 0)
    table = triple_table(columns.arrays(), entities, relations, "train")
    assert table["head"].cat.codes.tolist() == [1]
    assert table.astype(str).iloc[0].tolist() == ["b", "r", "a", "train"]
    assert len(triple_table(TripleColumns().arrays(), entities, relations, "train")) == 0


def test_relations_are_shown_without_prefix_and_underscores():
    assert display_name("biolink:treats_or") == "treats or"
    assert display_name("_verb_group") == "verb group"
    assert relation_table(Names({"r": 0, "s": 1}), targets={"s"}, hierarchy="r")["is_target"].tolist() == [False, True]


def test_columns_grow_while_earlier_arrays_are_held():
    """A profiler may hold the frame of whoever asked for the arrays."""
    columns = TripleColumns()
    columns.add(0, 0, 1)
    held = columns.arrays()
    columns.add(1, 0, 2)
    assert [array.tolist() for array in held] == [[0], [0], [1]]
    assert [array.tolist() for array in columns.arrays()] == [[0, 1], [0, 0], [1, 2]]
