"""Tables of texts, in columns."""


def align(rows):
    """Return lines of columns: words to the left, numbers to the right."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    of_words = [
        i == 0 or any(map(str.isalpha, "".join(column[1:])))
        for i, column in enumerate(columns)
    ]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, of_words, strict=True)
        ).rstrip()
        for row in rows
    ]
