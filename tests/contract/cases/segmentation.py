"""Cases of crmkit.segmentation."""

CASES: list = []
