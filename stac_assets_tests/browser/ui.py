"""What a person does on Dagster's pages: every step waits for a text, none for a time."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LISTS_OPENED = 10
LIST_STAYS = 5_000  # milliseconds that a choice may take, of a list that is not closed


class Ui:
    """A page in the browser.

    Args:
        page: Playwright's.
        url: the root of the UI.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    def open(self, path: str, shows: str) -> None:
        """Go to a page of the UI, and wait until it shows a text."""
        self.page.goto(self._url + path)
        self.shows(shows)

    def open_partition(self, asset: str, partition: str, shows: str = "Latest materialization") -> None:
        """The page of a partition, which lists those of all others too."""
        self.open(f"/assets/{asset}?view=partitions&partition={quote(partition)}", shows)

    def shows(self, text: str, within: Locator | None = None) -> None:
        """Wait until a text can be seen."""
        place = within or self.page.locator("body")
        place.get_by_text(text).filter(visible=True).first.wait_for()

    def click(self, name: str, within: Locator | None = None) -> None:
        """Press the first button that has a text."""
        place = within or self.page.locator("body")
        place.get_by_role("button", name=name).first.click()

    def materialize(self, asset: str, collection: str, date: str) -> None:
        """Materialize one partition of an asset, by choosing its collection and date."""
        self.open(f"/assets/{asset}?view=partitions", "Partitions Selected")
        self.click("Materialize")
        dialog = self._dialog("Partition selection", confirming=True)
        self._choose(dialog, collection)
        self.page.keyboard.press("Escape")  # closes the list
        days = dialog.get_by_placeholder("ex: 20")
        days.fill(date)
        days.press("Enter")
        self.click("Launch 1 run", dialog)
        dialog.wait_for(state="detached")

    def terminate(self, run_id: str) -> None:
        """Terminate a run on its page."""
        self.open(f"/runs/{run_id}", "Terminate")
        self.click("Terminate")
        self.click("Terminate 1 run", self._dialog("Terminate runs"))

    def reexecute(self, run_id: str) -> str:
        """Run a failed run again, from its page; the id of the new run, whose page is open then."""
        self.open(f"/runs/{run_id}", "Failure")
        self.click("Re-execute all")
        self.page.wait_for_url(lambda url: "/runs/" in url and run_id not in url)
        return self.page.url.rpartition("/")[2]

    def turn(self, automation: str, *, on: bool) -> None:
        """Turn a sensor or schedule on or off, on the page of automations.

        The page asks for the opposite of what it shows: it has to show the present state before, and shows
        the new one after.
        """
        own = "*[count(.//input[@type='checkbox']) = 2][1]"  # one selects its line, the other is the switch
        line = self.page.get_by_text(automation, exact=True).first.locator(f"xpath=ancestor::{own}")
        switch = line.locator("label").last
        states = [switch.locator(f"input:enabled{state}") for state in (":not(:checked)", ":checked")]
        states[not on].wait_for(state="attached")
        switch.click()
        states[on].wait_for(state="attached")

    def _choose(self, dialog: Locator, collection: str) -> None:
        """Choose a collection from the dialog's list.

        The dialog is drawn anew when what it asked of Dagster arrives, which closes a list that is open: then
        the list is opened again.
        """
        from playwright.sync_api import TimeoutError

        choice = dialog.get_by_text(collection, exact=True).first
        for _ in range(LISTS_OPENED):
            dialog.get_by_text("Select a partition").click()
            with suppress(TimeoutError):
                choice.click(timeout=LIST_STAYS)
                return
        raise AssertionError(f"{collection} could not be chosen from a list opened {LISTS_OPENED} times")

    def _dialog(self, title: str, *, confirming: bool = False) -> Locator:
        """The dialog that is open; what Dagster asks before it is confirmed."""
        dialog = self.page.get_by_role("dialog").filter(has_text=title)
        if confirming:  # that the upstream assets have not been materialized
            question = self.page.get_by_role("button", name="Confirm")
            dialog.or_(question).first.wait_for()
            if question.count():
                question.click()
        dialog.wait_for()
        return dialog
