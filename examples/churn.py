"""Who is about to leave?"""

from crmkit import churn, datasets

log = datasets.make_transactions(2000, random_state=0)["transactions"]

# Learn from the past: features up to as_of, outcome in the 90 days after it.
past = churn.churn_table(log, as_of="2025-06-30", horizon_days=90)
model = churn.ChurnModel(random_state=0).fit(past)
gains = churn.gains_table(past, model.scores_)  # scores of models that had not seen the customer
print(gains, end="\n\n")

# Score today's customers.
leaving = model.predict(churn.churn_table(log))
print(leaving.nlargest(5, "p_churn"))

churn.plot_gains(gains).figure.savefig("gains.svg")
