"""Cloud → Home Assistant: commands are checked, announced, carried out and answered."""
