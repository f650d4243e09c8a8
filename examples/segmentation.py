"""Who are our best customers, and who costs us money?"""

import pandas as pd

from crmkit import datasets, segmentation

shop = datasets.make_transactions(2000, random_state=0)
log = shop["transactions"]

rfm = segmentation.rfm_table(log)
segments = segmentation.rfm_segments(segmentation.rfm_scores(rfm))
print(segments["segment"].value_counts(), end="\n\n")

# A service desk of 5,000 is borne by those who call it.
desk = pd.DataFrame({"pool": ["desk"], "cost": [5000.0], "driver": ["service_calls"]})
profit = segmentation.customer_profit(log, cost_pools=desk, activity=shop["customers"])
print(segmentation.segment_overview(profit.merge(segments), orders="orders").T, end="\n\n")
print(segmentation.loss_makers(profit).head())

segmentation.plot_whale_curve(segmentation.whale_curve(profit)).figure.savefig("whale.svg")
