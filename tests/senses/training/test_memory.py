from terrarium.senses.training.memory import available_memory, training_memory


def test_memory_grows_with_everything_that_is_held():
    base = training_memory(150_000, 128, 2048, 512)
    assert training_memory(150_000, 256, 2048, 512) > 1.8 * base
    assert training_memory(150_000, 128, 200_000, 512) > base
    assert 0.2e9 < base < 1e9


def test_a_limit_is_what_is_available():
    assert available_memory(2.5) == 2_500_000_000
    assert available_memory(None) > 0
