"""Tables as CSV text that spreadsheets can open safely."""

import pandas as pd

_FORMULA = r"^([=+\-@\t\r])"
"""Start of a text that a spreadsheet takes for a formula."""


def to_csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV with a header, and with an apostrophe before each text that a spreadsheet would run.

    Numbers stay as they are; only columns of text are changed (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    escaped = table.copy()
    texts = escaped.select_dtypes(exclude=["number", "bool"]).columns
    escaped[texts] = escaped[texts].astype(object).replace(_FORMULA, r"'\1", regex=True)
    return str(escaped.to_csv(index=False, lineterminator="\n"))
