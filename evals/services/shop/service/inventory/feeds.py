"""Supplier stock lists: `SKU-00042;17;EUR 12.50`, with comments and blank lines."""

import re

SKU_PREFIXES = (
    "SKU", "ALT", "BAG", "BOX", "CAN", "CTN", "DOZ", "DRM", "JAR", "KIT", "LOT", "OEM", "PAL", "PCE", "PRS",
    "REF", "ROL", "SET", "TIN", "TUB", "VAR",
)  # fmt: skip
QUANTITY_PATTERN = r"\d{1,6}"
PRICE_PATTERN = r"(?:EUR|GBP|SEK) \d+\.\d{2}"


def parse_feed(body):
    """Articles and units by SKU, and the numbers of the lines that cannot be read."""
    units = {}
    rejected = []
    for number, line in enumerate(body.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        pattern = re.compile(
            rf"(?P<sku>(?:{'|'.join(SKU_PREFIXES)})-\d{{5}});(?P<quantity>{QUANTITY_PATTERN});{PRICE_PATTERN}",
            re.IGNORECASE | re.ASCII,
        )
        match = pattern.fullmatch(line)
        if match is None:
            rejected.append(number)
            continue
        sku = match["sku"]
        units[sku] = units.get(sku, 0) + int(match["quantity"])
    return units, rejected
