"""Studies in files, closed after each test."""

import contextlib

import pytest

from jaxvae.sweeps.study import Settings, default_storage, open_study


@pytest.fixture
def opened():
    """Function that opens the study of a folder."""
    with contextlib.ExitStack() as studies:

        def open_in(folder, **options):
            folder.mkdir(exist_ok=True)
            return studies.enter_context(open_study(Settings(default_storage(folder), **options)))

        yield open_in
