"""What makes a list of customers fit for use: names, addresses to reach them, and consent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems
from crmkit._frames import read_consent
from crmkit._reading.words import plain as plain_name

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["Contacts", "consent_flags", "read_contacts"]

# Columns that say who somebody is and where to be reached, in the languages of the reader.
_NAMES = (
    "name|first name|last name|surname|full name|customer name|company|company name|billing name|"
    "naam|voornaam|achternaam|klantnaam|bedrijf|bedrijfsnaam|vorname|nachname|kundenname|firma|"
    "nom|prenom|nombre|apellido|email|e mail|email address|e mailadres|mail|phone|phone number|"
    "mobile|telephone|telefoon|telefoonnummer|mobiel|telefon|telephone|telefono|address|adres|"
    "street|straat|postcode|postal code|zip|city|plaats|woonplaats|stad|ort|country|land"
)
_CONSENT = (
    "consent|opt in|optin|newsletter|accepts marketing|accepts email marketing|toestemming|"
    "email consent|phone consent|mail consent|sms consent|marketing consent"
)


@dataclass(frozen=True, slots=True)
class Contacts:
    """One row per customer: ``customer_id``, contact columns as named, ``consent`` 1, 0 or NaN."""

    table: pd.DataFrame
    columns: tuple[str, ...]
    consent: str


def read_contacts(story: Story) -> Contacts:
    """Take names and consent from the table of customers, else from each one's last row."""
    known = {plain_name(word) for word in _NAMES.split("|")}
    agreed = {plain_name(word) for word in _CONSENT.split("|")}
    source = story.customers
    ids = pd.Series(story.transactions["customer_id"].unique(), name="customer_id")
    if source is None:
        source = story.transactions.drop_duplicates("customer_id", keep="last")
    shown = [c for c in source.columns if plain_name(str(c)) in known and c != "customer_id"]
    asked = [c for c in source.columns if plain_name(str(c)) in agreed]
    table = source[["customer_id", *shown]].copy()
    if asked:
        problems = Problems("customers")
        said = np.column_stack([read_consent(source[c], problems, str(c)) for c in asked])
        problems.raise_if_any()
        # A no in one place is a no: it is not known which channel a list is for.
        sure = np.isfinite(said)
        least = np.where(sure, said, 1.0).min(axis=1)
        table["consent"] = np.where(sure.any(axis=1), least, np.nan)
    table = ids.to_frame().merge(table, on="customer_id", how="left")
    return Contacts(table, tuple(shown), ", ".join(map(str, asked)))


def consent_flags(contacts: Contacts) -> Any:
    """Return consent as yes, no or missing; yes for all where nothing is known of anybody."""
    if not contacts.consent:
        return pd.Series(True, index=contacts.table.index, dtype="boolean")
    return contacts.table["consent"].astype("boolean")
