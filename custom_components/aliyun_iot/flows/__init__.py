"""The pages of the options flow and of the subentry flows."""
