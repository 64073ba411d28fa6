"""Makes products and devices with the AccessKey of an account: the OpenAPI, plans, and runs that can be resumed and undone."""
