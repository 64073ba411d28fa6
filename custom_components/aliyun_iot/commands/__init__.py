"""Cloud → Home Assistant: commands are checked, carried out, answered and told of."""
