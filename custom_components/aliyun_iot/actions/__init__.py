"""The actions of the integration, grouped by topic; `services.py` registers them."""
