import numpy as np
import torch

from terrarium.senses.models.adagrad import step_rows, step_rows_compiled
from terrarium.senses.models.operators import normalize


def test_the_compiled_step_is_that_of_torch():
    rng = np.random.default_rng(0)
    rows = normalize(torch.from_numpy(rng.standard_normal((30, 16)).astype(np.float32)))
    gradient = torch.from_numpy(rng.standard_normal((30, 16)).astype(np.float32))
    touched, row_sum = torch.tensor([0, 4, 11, 20, 29]), torch.rand(30)
    compiled = [x.clone() for x in (rows, row_sum, gradient)]
    step_rows(rows, row_sum, touched, gradient, 15, 0.1, 2.0)
    step_rows_compiled(*(x.numpy() for x in (*compiled[:2], touched, compiled[2])), 15, 0.1, 2.0)
    for ours, theirs in zip(compiled, (rows, row_sum, gradient), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)
