"""The pages of the options and of the subentries: what people see and fill in."""
