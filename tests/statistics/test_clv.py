"""Every promise of crmkit.clv, measured in the short form."""

import pytest

from _suite import as_parameters, check


@pytest.mark.parametrize("case", as_parameters("clv"))
def test_what_is_promised_is_held(case):
    check(case)
