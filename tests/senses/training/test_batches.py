from terrarium.senses.training.batches import adapt_batch_size


def test_the_batch_size_shrinks_as_dimensions_grow():
    sizes = [adapt_batch_size(1_048_576, 128, dim) for dim in (128, 192, 256, 320, 384, 448, 512)]
    assert sizes == [1_048_576, 699_050, 524_288, 419_430, 349_525, 299_593, 262_144]
    assert adapt_batch_size(40_000, 128, 512) == 32_768
    assert adapt_batch_size(64, 128, 512) == 64
