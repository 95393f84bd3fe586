"""Prints rows as a table, as Markdown, or as JSON."""
import json


def cell(value):
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


class Printer:
    """Printer: rows of the same fields, printed as they come. The benchmark's own name is in every
    JSON row, and in no table."""

    def __init__(self, fields, as_json, markdown):
        self.fields = fields
        self.json = as_json
        self.markdown = markdown
        self.columns = [field for field in fields if field != "bench"]
        self.begun = False

    def print(self, row):
        if self.json:
            print(json.dumps({field: row.get(field) for field in self.fields}), flush=True)
            return
        cells = [cell(row.get(column)) for column in self.columns]
        if self.markdown:
            if not self.begun:
                print("| " + " | ".join(self.columns) + " |\n|" + "---|" * len(self.columns))
            print("| " + " | ".join(cells) + " |", flush=True)
        else:
            if not self.begun:
                print("  ".join(f"{column:>10}" for column in self.columns))
            print("  ".join(f"{text:>{max(10, len(column))}}"
                            for column, text in zip(self.columns, cells)), flush=True)
        self.begun = True
