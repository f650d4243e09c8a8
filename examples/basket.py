"""What is bought together, beyond chance?"""

from crmkit import basket, datasets

log = datasets.make_transactions(2000, random_state=0)["transactions"]

pairs = basket.item_pairs(log, min_support=0.005)
print(pairs[["item_a", "item_b", "count", "lift", "p_adjusted"]].head(), end="\n\n")

itemsets = basket.frequent_itemsets(log, min_support=0.005)
rules = basket.association_rules(itemsets, min_confidence=0.2, keep_redundant=False)
print(rules[["antecedent", "consequent", "count", "confidence", "lift"]].head())

basket.plot_rules(rules).figure.savefig("rules.svg")
