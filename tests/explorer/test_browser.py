"""The page in a real browser: its pixels are the decoder's, and everything that a person moves moves the picture."""

import numpy as np
import pytest

ENTER, SHIFT, PAGE_DOWN, END, HOME, UP, RIGHT, DOWN = "\ue007\ue008\ue00f\ue010\ue011\ue013\ue014\ue015"
"""Keys by WebDriver's codes."""
NEXT_FRAME = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"
PIXELS = """
const canvas = document.querySelector("#decoded canvas");
return [canvas.height, canvas.width, [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]];
"""


def picture(browser):
    """`[H, W, 3]` bytes of the decoded picture on the screen."""
    browser.execute_async_script(NEXT_FRAME)
    height, width, pixels = browser.execute_script(PIXELS)
    return np.array(pixels, np.int64).reshape(height, width, 4)[..., :3]


def code(browser):
    return np.array(browser.execute_script("return [...explorer.code.value]"), np.float32)


def set_code(browser, z):
    browser.execute_script("explorer.code.set(arguments[0])", z.tolist())


def decoded(page, z):
    """`[H, W, 3]` what JAX's decoder puts there, 255 for 1."""
    (mean,) = page.decode(z[None])
    return 255 * np.broadcast_to(np.clip(mean, 0, 1), (*mean.shape[:2], 3))


def plane(browser):
    """Centre and reach of the map."""
    centre, reach = browser.execute_script(
        "const [plane] = explorer.contents.planes; return [plane.centre, plane.reach]"
    )
    return np.array(centre), reach


def element(browser, identifier):
    return browser.find_element("id", identifier)


def assert_shows(browser, page, z):
    assert np.abs(picture(browser) - decoded(page, z)).max() <= 1


@pytest.mark.parametrize("name", ["vae", "conv_vae"])
def test_pixels_are_the_decoders(browser, opened, name):
    page = opened(name)
    for z in 2 * np.random.default_rng(0).normal(size=(3, page.codes.shape[1])).astype(np.float32):
        set_code(browser, z)
        assert np.ptp(decoded(page, z)) > 50, "a picture in which a mistake would show"
        assert_shows(browser, page, z)


def test_a_conditional_decoder_decodes_as_the_class_that_is_chosen(browser, opened):
    page = opened("classes")
    choice = element(browser, "condition")
    assert [option.text for option in choice.find_elements("tag name", "option")] == ["0", "1", "2", "unknown"]
    z = np.float32([0.7, -1.0])
    set_code(browser, z)
    for number, label in enumerate((0, 1, 2, -1)):
        choice.send_keys(HOME + DOWN * number)
        expected = 255 * np.clip(page.decode(z[None], np.array([label]))[0], 0, 1)
        assert np.abs(picture(browser) - expected).max() <= 1
    browser.find_elements("css selector", "#gallery button")[7].click()  # of class 1
    assert choice.get_property("value") == "1"
    expected = 255 * np.clip(page.decode(page.codes[7:8], np.array([1]))[0], 0, 1)
    assert np.abs(picture(browser) - expected).max() <= 1


def test_pages_without_conditions_have_no_selector(browser, opened):
    opened("vae")
    assert not element(browser, "condition").is_displayed()


def test_sliders_move_the_picture_and_the_least_active_are_folded_away(browser, opened):
    page = opened("conv_vae")
    rows = browser.find_elements("css selector", "#sliders input")
    assert [row.get_attribute("id") for row in rows] == [f"z{d}" for d in np.argsort(-page.codes.var(axis=0))[:10]]
    folded = browser.find_element("css selector", "#more-sliders input")
    assert not folded.is_displayed()
    element(browser, "show-more").click()
    assert folded.is_displayed()

    before, z = picture(browser), code(browser)
    rows[0].send_keys(RIGHT * 20)
    dimension = int(rows[0].get_attribute("id")[1:])
    assert np.flatnonzero(code(browser) != z).tolist() == [dimension]
    assert_shows(browser, page, code(browser))
    assert np.abs(picture(browser) - before).max() > 1


def test_arrow_keys_move_over_the_map(browser, opened):
    page = opened("vae")
    before, z = picture(browser), code(browser)
    chart = element(browser, "map")
    chart.send_keys(RIGHT * 10)
    right = code(browser) - z
    chart.send_keys(SHIFT + UP)  # five steps in one
    assert right[0] > 0
    assert right[1] == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(code(browser) - z - right, [0, right[0] / 2], atol=1e-5)
    assert np.abs(picture(browser) - before).max() > 1
    chart.send_keys(ENTER)  # to the nearest test image
    assert np.abs(page.codes - code(browser)).max(axis=1).min() < 1e-5


def test_dragging_over_the_map_moves_the_picture_there(browser, opened):
    from selenium.webdriver import ActionChains

    opened("vae")
    chart = element(browser, "map")
    centre, reach = plane(browser)
    seen = []
    for x, y in [(0.5, 0.25), (-0.5, -0.25)]:  # from the middle, in half sides, downwards
        half = chart.size["width"] / 2
        drag = ActionChains(browser, duration=20).move_to_element(chart).click_and_hold()
        drag.move_by_offset(round(x * half), round(y * half)).release().perform()
        np.testing.assert_allclose(code(browser), [centre[0] + x * reach, centre[1] - y * reach], atol=0.02 * reach)
        seen.append(picture(browser))
    assert np.abs(seen[0] - seen[1]).max() > 1


def test_a_dot_shows_its_image_and_a_tap_goes_there(browser, opened):
    from selenium.webdriver import ActionChains

    page = opened("vae")
    chart = element(browser, "map")
    centre, reach = plane(browser)
    target = np.abs(page.codes - centre).max(axis=1).argmin()
    across, down = np.round((page.codes[target] - centre) / reach * chart.size["width"] / 2 * [1, -1])
    mouse = ActionChains(browser, duration=20).move_to_element_with_offset(chart, int(across), int(down))
    mouse.perform()
    assert element(browser, "tooltip").is_displayed()
    mouse.click().perform()
    assert np.abs(page.codes - code(browser)).max(axis=1).min() < 1e-5


def middle_of_line(a, b):
    return (a + b) / 2


def middle_of_arc(a, b):
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    direction = a / lengths[0] + b / lengths[1]
    return sum(lengths) / 2 * direction / np.linalg.norm(direction)


@pytest.mark.parametrize(("curve", "middle"), [(0, middle_of_line), (1, middle_of_arc)])
def test_between_two_images_both_ends_are_reconstructions(browser, opened, curve, middle):
    page = opened("conv_vae")
    first, second = page.codes[[0, 7]]
    browser.find_elements("css selector", ".slot")[1].click()
    browser.find_elements("css selector", "#gallery button")[7].click()
    browser.find_elements("css selector", "#curves button")[curve].click()
    slider = element(browser, "between")
    slider.send_keys(HOME)
    assert_shows(browser, page, first)
    slider.send_keys(END)
    assert_shows(browser, page, second)
    slider.send_keys(PAGE_DOWN * 5)  # a tenth each
    np.testing.assert_allclose(code(browser), middle(first, second), atol=1e-4)


def test_an_attribute_is_added_to_the_code_that_was_there(browser, opened):
    page = opened("conv_vae")
    set_code(browser, np.full(12, 0.5, np.float32))
    before = picture(browser)
    choice = element(browser, "attribute")
    assert [option.text for option in choice.find_elements("tag name", "option")][-1] == "</script> bright"
    choice.send_keys(END)
    element(browser, "strength").send_keys(END)
    vector = page.codes[1::2].mean(axis=0) - page.codes[::2].mean(axis=0)
    np.testing.assert_allclose(code(browser), 0.5 + 2 * vector, atol=1e-4)
    assert np.abs(picture(browser) - before).max() > 1


def test_a_phone_scrolls_in_one_direction_only_and_a_finger_moves_the_picture(browser, opened):
    opened("conv_vae", phone=True)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    buttons = browser.find_elements("css selector", "#planes button, .actions button, .slot, #curves button")
    assert min(min(button.size.values()) for button in buttons) >= 44

    before = picture(browser)
    chart = element(browser, "map")
    browser.execute_script("arguments[0].scrollIntoView()", chart)
    box = browser.execute_script("return arguments[0].getBoundingClientRect()", chart)
    for kind, places in (("touchStart", [120]), ("touchMove", [40]), ("touchEnd", [])):
        points = [{"x": box["right"] - place, "y": box["bottom"] - place} for place in places]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    point = browser.execute_script("return project(explorer.contents.planes[0], explorer.code.value)")
    centre, reach = plane(browser)
    side = chart.size["width"]
    np.testing.assert_allclose(point, centre + reach * (1 - 80 / side) * np.array([1, -1]), atol=0.02 * reach)
    assert np.abs(picture(browser) - before).max() > 1


def test_samples_are_those_of_the_prior(browser, opened):
    opened("mixture")
    held = browser.execute_script("return Array.from(explorer.contents.samples.codes)")
    held = {tuple(code) for code in np.reshape(held, (-1, 2)).tolist()}
    drawn = set()
    for _ in range(5):
        browser.execute_script("document.getElementById('sample').click()")
        drawn.add(tuple(browser.execute_script("return Array.from(explorer.code.value)")))
    assert drawn <= held
    assert len(drawn) > 1
