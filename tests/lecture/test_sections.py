"""Each experiment, as small as it can be: what its section claims holds, and its figures are described."""

import pytest

from autograd_ae.lecture import chapter, circle, compression, pca_as_network, rank_one, vanilla

SMALL = {
    "rank-one": lambda few: rank_one.run(few, quick=True),
    "pca": lambda few: pca_as_network.run(few, quick=True, verbose=False, components=(1,)),
    "circle": lambda few: circle.run(few, quick=True),
    "autoencoder": lambda few: vanilla.run(few, quick=True, verbose=False, hidden=(32, 16)),
    "compression": lambda few: compression.run(few, quick=True),
}
UNDERTRAINED = {"autoencoder"}  # 400 images are not enough for the law to hold; that it runs is what is tested


def test_every_section_of_the_chapter_is_here():
    assert tuple(SMALL) == chapter.SECTIONS


@pytest.mark.parametrize("name", SMALL)
def test_a_small_experiment_holds_and_is_described(name, few):
    section = SMALL[name](few)
    assert section.key == name
    assert section.ok or name in UNDERTRAINED, section.text()
    assert section.verdicts
    assert section.sentences
    assert section.settings
    assert section.pictures
    for picture in section.pictures.values():
        assert len(picture.alt) > 40
        assert picture.alt.endswith(".")
    assert len(section.text().splitlines()) > len(section.rows)
