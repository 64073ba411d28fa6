"""The actions of the integration, by what they are about; `services.py` registers them."""
