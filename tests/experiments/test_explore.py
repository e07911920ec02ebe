"""explore.py needs nothing but a run directory, and writes one file."""

import json

import pytest

from jaxvae.errors import InputError


@pytest.mark.slow
def test_a_run_becomes_one_page(scripts, small, capsys):
    config = small(latent_dim=2, steps=2)
    scripts["train"].main(config)
    explore = scripts["explore"]
    assert explore.main(explore.ExploreConfig(run_dir=config.run_dir, num_images=30)) == 0
    page = (config.run_dir / "explorer.html").read_text()
    assert f"{config.run_dir / 'explorer.html'} (0.1 MB)" in capsys.readouterr().out
    start = page.index('id="contents">') + len('id="contents">')
    contents = json.loads(page[start : page.index("</script>", start)])
    assert "<title>The latent space of digits</title>" in page
    assert contents["ink"]
    assert {"class 9", "slant"} < {attribute["name"] for attribute in contents["attributes"]}
    assert contents["image"] == {"height": 8, "width": 8, "channels": 1, "panels": 1}
    assert contents["codes"]["shape"] == [30, 2]
    assert [layer["kind"] for layer in contents["decoder"]] == ["Dense", "Elementwise", "Dense", "Elementwise"]


def test_one_image_is_too_few(scripts, tmp_path):
    explore = scripts["explore"]
    with pytest.raises(InputError, match="num-images: must be at least 2, got 1"):
        explore.ExploreConfig(run_dir=tmp_path, num_images=1).check()
