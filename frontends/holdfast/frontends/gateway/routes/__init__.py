"""The routes of the API, a module a subject. Each has `operations(house)`, of which the app and OpenAPI are made."""
