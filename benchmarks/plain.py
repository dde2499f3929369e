"""The parameters of one network on columns as they come, as the papers train."""

PLAIN = {"n_estimators": 1, "standardize": None, "target_prior": None}
