"""One self-contained HTML page that meets all rooms.

It answers first: the state of the base in four figures, and what to do this month with a list of
customers for each. Then it says why: who is profitable, which groups there are, what customers
are worth, who leaves, what is bought together, and last what all this was read from.
``crmkit report`` is the same from the command line.
"""

from __future__ import annotations

import json
import os
import tempfile
import webbrowser
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crmkit._arguments import check_text
from crmkit._checks import check_choice, check_number, check_optional
from crmkit._files import check_file, check_folder, write_file
from crmkit._progress import StepBar
from crmkit._spreadsheets import csv_text, xlsx_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from crmkit._report.pieces import Section
    from crmkit._report.story import Story

__all__ = ["Report", "make_report"]


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """A finished report: the page as ``html`` and the tables behind it by name in ``tables``.

    ``figures`` are what a later report needs to say what has changed. A notebook shows the page.
    """

    html: str
    tables: dict[str, pd.DataFrame]
    figures: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say in a line what the report is."""
        title, day = self.figures.get("title", ""), self.figures.get("as_of", "")
        size = len(self.html) / 1000
        return f"<Report {title!r} as on {day}: {len(self.tables)} tables, {size:,.0f} kB of page>"

    def _repr_html_(self) -> str:
        """Return the page as a notebook shows it: in a frame of its own."""
        return (
            '<iframe sandbox="allow-downloads allow-scripts" title="report" width="100%" '
            f'height="800" style="border:0" srcdoc="{escape(self.html)}"></iframe>'
        )

    def open(self) -> Path:
        """Show the page in the browser; returns the file, which only its owner can read."""
        handle, name = tempfile.mkstemp(prefix="crmkit-", suffix=".html")
        os.close(handle)
        self.write(name)
        webbrowser.open(Path(name).as_uri())
        return Path(name)

    def write(self, path: str | Path) -> None:
        """Write the page to a file, making its folder if need be: all of it, or nothing."""
        file = check_file(path, new_folder=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, self.html)

    def write_figures(self, path: str | Path) -> None:
        """Write the figures as JSON, for ``compare`` of a later report; only its owner can read it.

        They name customers by their ids, to tell who moved from which segment to which.
        """
        file = check_file(path, new_folder=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, json.dumps(self.figures, ensure_ascii=False, indent=1), private=True)

    def write_tables(self, folder: str | Path) -> None:
        """Write every table as a CSV file into a folder, making it if need be.

        The lists of what to do are written as workbooks (.xlsx) too, with headings in words.
        Text that a spreadsheet would take for a formula gets an apostrophe in front; ``crmkit
        report`` takes it off where it reads such a file.
        """
        from crmkit._report.shelf import opened

        place = check_folder(folder, "folder")
        place.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            write_file(check_file(place / f"{name}.csv", "folder"), csv_text(opened(table)))
        if not self.figures.get("actions"):
            return
        from crmkit._report.language import Language

        words = Language(self.figures["language"])
        for name in self.figures["actions"]:
            told = opened(self.tables[name]).rename(columns=words.heading)
            write_file(check_file(place / f"{name}.xlsx", "folder"), xlsx_bytes(told))


def make_report(
    transactions: Any,
    *,
    customers: Any = None,
    products: Any = None,
    campaigns: Any = None,
    redemptions: Any = None,
    as_of: Any = None,
    horizon_days: int | None = None,
    annual_discount_rate: float = 0.10,
    margin: float | None = None,
    acquisition_cost: float | None = None,
    contact_cost: float | None = None,
    save_rate: float = 0.02,
    title: str | None = None,
    subtitle: str = "",
    currency: str = "",
    language: Literal["en", "nl"] = "en",
    logo: str | Path | None = None,
    compare: Any = None,
    progress: bool = False,
) -> Report:
    """Make the report of a transaction log.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``, and as far as known ``amount``, ``order_id``,
        ``product``, ``quantity`` and ``cost``. Parts that need a column that is not there are
        left out, and the page says so.
    customers : DataFrame, optional
        One row per customer, with any profile columns: the page tells in which of them the
        segments differ. Text of more than 20 values and dates are left out.
    products : DataFrame, optional
        One row per ``product``; with a column ``product_type`` the part on baskets speaks of
        these kinds instead of single products.
    campaigns, redemptions : DataFrame, optional
        Who was mailed (``customer_id``, ``campaign_id``) and who responded (the same columns).
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    horizon_days : int, optional
        Days to look ahead for value. The default is 365. Where a part of the history is held
        out, it is as long, but at most a third of the history.
    annual_discount_rate : float, default 0.1
        Rate per year: what money a year later is worth less.
    margin : float, optional
        Share of an amount that is profit, for logs without ``cost``.
    acquisition_cost : float, optional
        What it cost to win a customer.
    contact_cost : float, optional
        What it costs to contact a customer. Nobody is in a list who is not expected to bring more.
    save_rate : float, default 0.02
        Of customers who would buy nothing, the share that a contact wins back: an assumption,
        until a campaign with a control group has measured it.
    title : str, optional
        The page's title. The default is "Customer report", in the page's language.
    subtitle, currency : str
        A remark under the title, and the sign before amounts.
    language : {"en", "nl"}, default "en"
        Language of the page and its lists: words, dates, numbers and money.
    logo : path, optional
        Picture for the head of the page: PNG, JPEG, GIF, WebP or SVG.
    compare : path or dict, optional
        Figures of an earlier report (``figures``, or a file of ``write_figures``): the page then
        says what has changed since, and who moved.
    progress : bool, default False
        Show a progress bar of the steps.

    Returns
    -------
    Report
        The page and its tables.

    Raises
    ------
    MissingColumnsError
        If the log lacks ``customer_id`` or ``date``.
    InputError
        If the log or an option cannot be used, or a table has no id in common with the log.

    Examples
    --------
    >>> from crmkit import datasets, report
    >>> shop = datasets.make_transactions(300, random_state=0)
    >>> page = report.make_report(shop["transactions"], title="A small shop")
    >>> page.html[:15]
    '<!DOCTYPE html>'
    >>> "segments" in page.tables
    True
    """
    from crmkit._report import page
    from crmkit._report.beginning import open_story
    from crmkit._report.beside import take_tables
    from crmkit._report.data import to_check
    from crmkit._report.figures import changes_section, figures_of, previous_figures
    from crmkit._report.language import Language, LanguageName
    from crmkit._report.logo import logo_address
    from crmkit._report.standing import take_standing
    from crmkit._report.state import state_figures
    from crmkit._report.todo import make_todo

    words = Language(
        check_choice(language, "language", LanguageName), check_text(currency, "currency")
    )
    title = words.say("page.title") if title is None else check_text(title, "title")
    subtitle = check_text(subtitle, "subtitle")
    picture = logo_address(logo)
    earlier = None if compare is None else previous_figures(compare)
    steps = _steps()
    with StepBar(len(steps) + 3, progress) as bar:
        bar.say("the log")
        story = open_story(
            transactions,
            as_of,
            horizon_days,
            {
                "annual_discount_rate": check_number(
                    annual_discount_rate, "annual_discount_rate", rule="rate_ahead"
                ),
                "margin": check_optional(margin, "margin"),
                "acquisition_cost": check_optional(acquisition_cost, "acquisition_cost"),
                "contact_cost": check_optional(contact_cost, "contact_cost"),
                "save_rate": check_number(save_rate, "save_rate"),
            },
            words,
        )
        take_tables(
            story,
            customers=customers,
            products=products,
            campaigns=campaigns,
            redemptions=redemptions,
        )
        bar.say("the customers")
        story.standing = take_standing(story)
        figures = state_figures(story)
        todo = make_todo(story)
        sections = [] if earlier is None else [changes_section(story, earlier, figures)]
        for name, step in steps.items():
            bar.say(name)
            section = step(story)
            if section is not None:
                sections.append(story.shelf.section(section))
        bar.say("the page")
        under = f"{story.words.say('page.as_on', day=story.settings.as_of)} {subtitle}".strip()
        html = page.render(
            title,
            under,
            figures=figures,
            todo=todo,
            sections=sections,
            words=story.words,
            logo=picture,
            checks=to_check(story),
        )
        bar.say("")
    sheets = [sheet for section in sections for sheet in section.sheets]
    tables = {sheet.name: sheet.table for sheet in (*todo.sheets, *sheets) if sheet.kept}
    return Report(html, tables, figures_of(story, title, figures, todo.steps))


def _steps() -> dict[str, Callable[[Story], Section | None]]:
    """Return the chapters in the order of the page."""
    from crmkit._report.campaigns import campaigns_section
    from crmkit._report.data import data_section
    from crmkit._report.fit import fit_section
    from crmkit._report.loyalty import loyalty_section
    from crmkit._report.products import products_section
    from crmkit._report.profit import profit_section
    from crmkit._report.segments import segments_section
    from crmkit._report.worth import worth_section

    return {
        "fit": fit_section,
        "profit": profit_section,
        "segments": segments_section,
        "worth": worth_section,
        "loyalty": loyalty_section,
        "products": products_section,
        "campaigns": campaigns_section,
        "data": data_section,
    }
