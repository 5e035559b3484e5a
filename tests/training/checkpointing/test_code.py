from terrarium.training.checkpointing import code


def test_the_digest_follows_contents_and_paths(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "_PACKAGE", tmp_path)
    digests = set()
    for name, text in (("a.py", "x = 1"), ("a.py", "x = 2"), ("b.py", "x = 2")):
        (tmp_path / name).write_text(text)
        code.code_digest.cache_clear()
        digests.add(code.code_digest())
        assert code.code_digest() in digests
    code.code_digest.cache_clear()
    assert len(digests) == 3
