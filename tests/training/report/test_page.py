"""The page: what it is given is text, never markup; what is serious comes first."""

from training.evidence.subject import Alarm
from training.report.exhibit import Cell, Exhibit, Picture, Table, Width
from training.report.page import Page, Shown, render

PICTURE = Picture("one", 'a "quoted" <b>shape</b>', b"<svg/>", b"", Width.THIRD)


def page(*alarms: Alarm, name: str = "run") -> str:
    table = Table("Figures", ("task", "AUC"), [[Cell("a<b", "under", color="#0072b2"), Cell("0.7", look="best")]])
    exhibit = Exhibit("Read `this`.", [PICTURE], [table], ["And `that`."])
    shown = Shown("quality", "Quality", exhibit, alarms)
    return render(Page(name, "about", [("7", "rows")], [shown], [("Experts", "no `gate`")], "name: <run>", "now"))


def test_what_it_is_given_is_never_markup() -> None:
    html = page(Alarm("<script>alert(1)</script>"), name="<i>run</i>")
    for text in ("<script>", "<i>", "<b>shape", "a<b", "<run>"):
        assert text not in html
    assert "a&lt;b" in html and "name: &lt;run&gt;" in html
    assert "<code>this</code>" in html and "<code>that</code>" in html and "no <code>gate</code>" in html


def test_the_serious_comes_first_and_marks_its_section() -> None:
    html = page(Alarm("worth knowing", serious=False), Alarm("on fire"))
    assert html.index("on fire") < html.index("worth knowing")
    assert "marker serious" in html[html.index("<nav") : html.index("</nav>")]
    calm = page(Alarm("worth knowing", serious=False))
    assert "marker serious" not in calm[calm.index("<nav") : calm.index("</nav>")]
    assert "Nothing that this report looks for" in page() and "Nothing that this report looks for" not in html
