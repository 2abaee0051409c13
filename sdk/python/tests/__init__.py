"""The client against a real coordinator: BATON_URL and BATON_TOKEN_FILE say where it is. `python3 -m unittest` runs them."""
