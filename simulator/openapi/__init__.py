"""What an application says: the actions of the platform's OpenAPI. They stand in one table, openapi/actions.py."""
