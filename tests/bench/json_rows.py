"""The figures of a benchmark for programs, as json_rows.h writes them."""

import json


def write(path, benchmark, rows):
    """Nothing without a path."""
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"benchmark": benchmark, "rows": rows}, file, indent=1)
            file.write("\n")
