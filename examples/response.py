"""Whom do we contact next, within a budget and only with consent?"""

from crmkit import datasets, response

campaign = datasets.make_campaign(5000, random_state=0)
known = ["age", "recency_days", "frequency", "monetary", "messages_received", "channel"]
mailed = campaign[campaign["treated"] == 1]
others = campaign[campaign["treated"] == 0]

print(response.response_drivers(mailed, outcome="responded", columns=known), end="\n\n")

model = response.ResponseModel(random_state=0).fit(mailed, columns=known)
print(response.gains_table(mailed, model.scores_), end="\n\n")

selection = response.select_targets(
    others,
    model.predict(others),
    consent="email_consent",
    value="monetary",
    margin=0.37,
    contact_cost=1.0,
    budget=500.0,
    random_state=0,
)
print(selection["reason"].value_counts())
