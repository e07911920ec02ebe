"""Judges of molecules on strings whose numbers are known."""

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges import molecules

SAMPLES = ["CCO", "OCC", "C(C)O", "c1ccccc1", "C1CC", "C(C)(C)(C)(C)C", "", "C1=CC=CC=C1"]
"""Ethanol three times, benzene twice, an open ring, five bonds at a carbon, nothing."""


def test_only_molecules_are_valid(capfd):
    assert molecules.canonical(SAMPLES) == ["CCO", "CCO", "CCO", "c1ccccc1", None, None, None, "c1ccccc1"]
    assert molecules.validity(SAMPLES) == 5 / 8
    assert capfd.readouterr().err == ""


def test_different_strings_of_a_molecule_are_one():
    assert molecules.uniqueness(SAMPLES) == 2 / 5
    assert molecules.uniqueness(SAMPLES, 3) == 1 / 3
    with pytest.raises(InputError, match="5 of 8 are valid, fewer than 6; sample more"):
        molecules.uniqueness(SAMPLES, 6)


def test_novel_molecules_are_not_in_training():
    assert molecules.novelty(SAMPLES, ["CCO", "CC"]) == 1 / 2
    assert molecules.novelty(SAMPLES, []) == 1
    with pytest.raises(InputError, match="none of 1 is a molecule"):
        molecules.novelty(["C1"], [])


def test_reconstructions_are_exact_by_letter():
    assert molecules.exact(["CCO", "CC"], ["OCC", "CC"]) == 1 / 2
    with pytest.raises(InputError, match="reconstructed: 1 strings for 2"):
        molecules.exact(["CCO", "CC"], ["CC"])


def test_partition_coefficients():
    """Methane is the sum of Wildman and Crippen's contributions, C1 0.1441 and four H1 of 0.1230."""
    methane, ethanol, octane, invalid = molecules.log_p(["C", "CCO", "CCCCCCCC", "C1"])
    assert methane == pytest.approx(0.6361, abs=1e-4)
    assert ethanol < methane < octane
    assert np.isnan(invalid)
