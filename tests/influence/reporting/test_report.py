from tests.influence.runs import score, select_queries, write_report


def test_the_report_pictures_every_query_that_it_shows(trained):
    queries = select_queries(trained)
    results = score(trained, queries, checkpoints__use="all")
    page = write_report(trained, queries, results, checkpoints__use="all")
    assert "proponents-2" in page
    assert "proponents-3" not in page
    assert "The model ranks this tail" in page
    assert "The triple is in the split test." in page
    assert "stands out.\nIf influences are permuted" in page
    assert "the sum over 2 checkpoints" in page
    assert "an equal share of its rows" in page
