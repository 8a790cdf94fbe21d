"""What one tick of a sensor may cost."""

MAX_REQUESTS = 50
"""Requests to the API in one tick of `new_items_sensor`; what is not asked then is asked in the next ones."""
REQUESTS_OF_A_LOOK = 3
"""That a collection takes in which nothing has changed: for `updated`, for its total, and one more."""
MAX_SECONDS = 16.0
"""After which no request begins in a tick; with the slowest answer (13 s) that is less than 30 s."""
MAX_RUNS = 20
"""Runs that one tick requests; what is over that stays in the cursor."""
MAX_CONFIRMED = 20
"""Vanished collections that one tick asks for by name, before it believes that they are gone."""
