"""What is pasted from Word or a page keeps paragraphs, lists and bold words, and nothing odd appears."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests import actors
from tests.browser.sites import Site
from tests.browser.test_writing import Draft, draft

__all__ = ["draft"]

WORD = (
    "<html><head><style>p {color: red}</style></head><body lang=EN-GB><!--StartFragment-->"
    "<p class=MsoNormal><b><span style='font-size:14pt;color:red'>Our</span></b> <i>warm</i> homes<o:p></o:p></p>"
    "<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·<span>&nbsp; </span></span>one</p>"
    "<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·</span><b>two</b></p>"
    "<p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>1.</span>first</p>"
    "<p class=MsoNormal>End &amp; <a href='https://example.eu'>link</a><script>alert(1)</script></p>"
    "<!--EndFragment--></body></html>"
)
PAGE = (
    "<meta charset='utf-8'><b style='font-weight:normal'><p>Plain <span style='font-weight:700'>bold</span></p>"
    "<ul><li><p>one</p></li><li>two</li></ul><ol><li>first</li><li>second<br>line</li></ol></b>"
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (WORD, "**Our** warm homes\n\n- one\n- **two**\n1. first\n\nEnd & link"),
        (PAGE, "Plain **bold**\n\n- one\n- two\n1. first\n2. second line"),
    ],
)
def test_a_paste_keeps_paragraphs_lists_and_bold_alone(
    chromium: Browser, site: Site, draft: Draft, html: str, text: str
) -> None:
    context = chromium.new_context()
    context.add_cookies([site.cookie(actors.ana())])
    page = context.new_page()
    page.goto(site.address + draft.page)
    field = page.locator(f"#answer-{draft.questions[0]}")
    field.fill("")

    field.evaluate(
        """(field, html) => {
            const carried = new DataTransfer();
            carried.setData("text/html", html);
            field.focus();
            field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
        }""",
        html,
    )

    expect(field).to_have_value(text)
    context.close()
