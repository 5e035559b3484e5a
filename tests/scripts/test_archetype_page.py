from scripts.archetype_page import IMAGES, build, main


def test_the_page_and_the_pictures_are_those_of_the_definitions():
    assert main(["--check"]) == 0
    assert {path for path in build() if path.parent == IMAGES} == set(IMAGES.glob("*.svg"))
