"""What is each customer worth over the next year?"""

from crmkit import clv, datasets

log = datasets.make_transactions(2000, random_state=0)["transactions"]

# First: does the model foretell days that it has not seen?
past = clv.holdout_table(log, as_of="2025-07-03", horizon_days=180)
foretold = clv.BGNBD().fit(past).predict(past, horizon_days=180)
print(clv.forecast_table(past, foretold), end="\n\n")

# Then: learn from all days, and value.
customers = clv.purchase_table(log)
value = clv.lifetime_value(
    customers,
    purchases=clv.BGNBD().fit(customers),
    spend=clv.GammaGamma().fit(customers),
    horizon_days=365,
    annual_discount_rate=0.10,
    margin=0.37,
)
print(value.nlargest(5, "lifetime_value"))
